"""Options of the kernel that packages rely on: what they add to its configuration.

An option is NAME, which y and m satisfy, NAME=y, or NAME=n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from quard.base.errors import QuardError
from quard.model import Recipe
from quard.recipes.implied import implied

PREFIX = "CONFIG_"
_SATISFY = {"": ("y", "m"), "y": ("y",), "n": ("n",)}

Options = Sequence[tuple[str, str]]
"""(package, option)."""


def of_recipe(
    name: str, recipe: Recipe, features: Callable[[], Mapping[str, bool]], formats: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the options that a package relies on, each with the package's name.

    features -- returns whether each of its features is on
    formats  -- of the root file systems that have the package
    """
    for option in (*implied(recipe).kernel, *recipe.kernel):
        yield name, option
    permissions = recipe.permissions
    if any(feature.kernel or feature.adds for feature in recipe.features):
        on = features()
        for feature in recipe.features:
            if on[feature.name]:
                for option in feature.kernel:
                    yield name, option
                added: Any = dict(feature.adds or ()).get("permissions", ())
                permissions += added
    if any(each.has_attributes for each in permissions):
        from quard.plan.attributes import options  # noqa: PLC0415 - few recipes give any

        yield from options(name, permissions, formats)


def relied(
    kernel: str, options: Options, below: Mapping[str, str], above: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the options that are to be added to a kernel's configuration, sorted.

    kernel  -- the package, for messages
    options -- those of all packages on the target
    below   -- texts that packages may change, by the names of their files: the recipe's fragments
    above   -- those that they may not change: the board's fragments, and lines of features
    Of several lines about an option, the last one counts, as when they are merged. An option that
    the texts satisfy is not added, so it changes no plan.
    Raises QuardError kernel-option-conflict, which names all contradictions.
    """
    wanted, wrong = _merged(options)
    found = []
    for name, (value, users) in sorted(wanted.items()):
        file, chosen = _chosen(name, above)
        if not chosen:
            chosen = _chosen(name, below)[1]
        elif chosen not in _SATISFY[value]:
            wrong.append(
                f"{_shown(name, value)}: {', '.join(users)}; {file}: {PREFIX}{name}={chosen}"
            )
        if chosen not in _SATISFY[value]:
            found.append(f"{name}={value}" if value else name)
    if wrong:
        raise QuardError(
            f"the configuration of {kernel} cannot satisfy all packages",
            detail="\n".join(wrong),
            reason="kernel-option-conflict",
            hint="change the line in the board's fragment, or remove one of the packages",
        )
    return tuple(found)


def _merged(options: Options) -> tuple[dict[str, tuple[str, list[str]]], list[str]]:
    """Return name -> (value, packages), and a line for each contradiction between packages."""
    users: dict[str, dict[str, list[str]]] = {}
    for package, option in sorted(options):
        name, _, value = option.partition("=")
        users.setdefault(name, {}).setdefault(value, []).append(package)
    merged: dict[str, tuple[str, list[str]]] = {}
    wrong = []
    for name, values in sorted(users.items()):
        if len(values) > 1 and "n" in values:
            each = (f"{_shown(name, v)}: {', '.join(who)}" for v, who in sorted(values.items()))
            wrong.append("; ".join(each))
            continue
        everybody = sorted({package for who in values.values() for package in who})
        merged[name] = (max(values), everybody)
    return merged, wrong


def _chosen(name: str, texts: Mapping[str, str]) -> tuple[str, str]:
    """Return the last file that has an option, and its value there; "" if none has it."""
    word = PREFIX + name
    for file, text in reversed([*texts.items()]):
        found = ""
        if word in text:
            lines = (line.strip() for line in text.splitlines() if word in line)
            for line in lines:
                if line.startswith(f"{word}="):
                    found = line.removeprefix(f"{word}=")
                elif line == f"# {word} is not set":
                    found = "n"
        if found:
            return file, found
    return "", ""


def _shown(name: str, value: str) -> str:
    return f"{PREFIX}{name}={value or 'y or m'}"
