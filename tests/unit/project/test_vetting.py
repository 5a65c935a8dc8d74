"""quard.project.vetting: what is checked before a build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import plan_parts
import pytest

from quard.base.errors import QuardError
from quard.plan.image import EmptyDiskPlan, FileSystemPlan, ScriptPlan
from quard.plan.unit import Unit
from quard.project.vetting import vet

SCRIPT = ScriptPlan(
    machine=("virt", "1" * 64), template="2" * 64, board="one", data="", formats=("ext4",)
)
ROOT = plan_parts.rootfs(system="")


def units() -> dict[str, Unit]:
    system = FileSystemPlan(format="ext4", label="root", size_mib=0)
    return {
        "root": Unit("one/rootfs.tar", ROOT, (), files=("rootfs.tar",)),
        "ext4": Unit("one/rootfs.ext4", system, (), files=("rootfs.ext4",)),
        "disk": Unit("one/data.ext4", EmptyDiskPlan(label="d", size_mib=8), (), files=("data",)),
        "run": Unit("one/run.sh", SCRIPT, (), files=("run.sh",)),
        "early": Unit("one/early/rootfs.tar", ROOT, (), files=("e",), folder="early"),
    }


def checked(passed: Path, found: dict[str, Unit]) -> list[str]:
    """Return the names of the units that are checked."""
    ids = {unit.id: name for name, unit in found.items()}
    names: list[str] = []
    vet(found.values(), passed, lambda unit: names.append(ids[unit.id]))
    return names


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    return tmp_path / "vetted"


def test_everything_is_checked_once_the_script_first(passed: Path) -> None:
    assert checked(passed, units()) == ["run", "root", "early"]
    assert checked(passed, units()) == []


CHANGES = {
    "root": ("root", replace(ROOT, hostname="another"), ["root"]),
    "format": ("ext4", FileSystemPlan(format="ext4", label="root", size_mib=9), ["root"]),
    "named root": ("early", replace(ROOT, hostname="another"), ["early"]),
    "script": ("run", replace(SCRIPT, board="two"), ["run", "root"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_changed_is_checked_again(passed: Path, change: str) -> None:
    checked(passed, units())
    name, plan, expected = CHANGES[change]
    edited = {**units(), name: replace(units()[name], plan=plan)}
    assert checked(passed, edited) == expected
    assert checked(passed, edited) == []


def test_what_was_wrong_is_checked_again(passed: Path) -> None:
    def refuse(unit: Unit) -> None:
        if unit.folder:
            raise QuardError("wrong", reason="bad-mode")

    for _ in range(2):
        with pytest.raises(QuardError):
            vet(units().values(), passed, refuse)
    assert checked(passed, units()) == ["run", "root", "early"]


def test_a_record_that_cannot_be_read_is_as_none(passed: Path) -> None:
    passed.write_bytes(b"\xff\xfe")
    assert checked(passed, units()) == ["run", "root", "early"]
