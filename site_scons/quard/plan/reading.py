"""Reading a plan back from its plain data, as another process or machine receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quard.base.canonical import canonical
from quard.base.files import FileRef, file_ref
from quard.plan.plan import (
    EXECUTOR,
    CopyStep,
    HeadersStep,
    KconfigStep,
    LinkStep,
    Plan,
    RunStep,
    Step,
    ToolchainStep,
    WriteStep,
)


def read_plan(data: Mapping[str, Any]) -> Plan:
    """Return the plan with these data (`Plan.as_json`).

    Raises ValueError for data that are not a plan of this version of the executor.
    """
    if data.get("executor") != EXECUTOR:
        raise ValueError(f"a plan for executor {data.get('executor')!r}, not for {EXECUTOR}")
    try:
        plan = _plan(data)
        same = canonical(plan.as_json()) == canonical(dict(data))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the data of a plan: {error!r}") from error
    if not same:
        raise ValueError("data of a plan with something that this version does not know")
    return plan


def _plan(data: Mapping[str, Any]) -> Plan:
    """Return the plan of data that may be wrong. Raises KeyError, TypeError, AttributeError."""
    return Plan(
        name=data["name"],
        version=data["version"],
        triple=data["triple"],
        sources=tuple(data["sources"]),
        further=tuple((into, sha256) for into, sha256 in data.get("further", ())),
        tree=data["tree"],
        folders=tuple((into, digest) for into, digest in data.get("folders", ())),
        patches=_files(data["patches"]),
        files=_files(data["files"]),
        features=tuple(sorted(data["features"].items())),
        needs=tuple(data["needs"]),
        links=tuple(data["links"]),
        exports=tuple(data.get("exports", ())),
        natives=tuple(data.get("natives", ())),
        native=data.get("native", False),
        tools=tuple(data["tools"]),
        env=tuple(sorted(data["env"].items())),
        cflags=data["cflags"],
        hardening=tuple(data["hardening"]),
        steps=tuple(map(_step, data["steps"])),
        drop=tuple(data["drop"]),
        expects=tuple(data.get("expects", ())),
        parts=tuple(sorted((part, tuple(globs)) for part, globs in data["parts"].items())),
        deploys=data["deploys"],
        licenses=tuple(data["licenses"]),
        taken="origins" in data,
        answers="answers" in data,
    )


def _files(found: Sequence[Sequence[str]]) -> tuple[FileRef, ...]:
    return tuple(file_ref(name, observed) for name, observed in found)


def _step(data: Mapping[str, Any]) -> Step:
    """Return one step. Raises ValueError, KeyError, TypeError."""
    phase = data["phase"]
    match data:
        case {"run": argv}:
            modular, serial = data.get("only") == "modular", data.get("jobs") == 1
            return RunStep(phase, tuple(argv), modular, serial)
        case {"copy": [source, destination, mode]}:
            fill = data.get("fill")
            values = None if fill is None else tuple(sorted(fill.items()))
            return CopyStep(phase, source, destination, mode, values)
        case {"link": [path, target]}:
            return LinkStep(phase, path, target)
        case {"write": path, "lines": lines}:
            return WriteStep(phase, path, "".join(f"{line}\n" for line in lines))
        case {"kconfig": set_}:
            return KconfigStep(
                phase,
                tuple(set_["make"]),
                set_["base"],
                set_["refresh"],
                tuple(set_["fragments"]),
                tuple(set_["lines"]),
                tuple(set_.get("relied", ())),
            )
        case {"toolchain-runtime": taken}:
            optional = tuple(taken.get("optional", ()))
            return ToolchainStep(phase, tuple(taken["libraries"]), taken["loader"], optional)
        case {"toolchain-headers": folders}:
            return HeadersStep(phase, tuple(folders))
    raise ValueError(f"an unknown step: {sorted(data)}")
