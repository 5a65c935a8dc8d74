"""One case: a library before and after a change, and the property that the cutoff rests on.

Whenever the interfaces are equal, every dependant comes out the same.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Mapping
from dataclasses import dataclass

from incremental.cutoff import source
from incremental.cutoff.build import BuildError, CaseFolder, Failed, Package
from incremental.cutoff.dependants import Dependant, Drawn
from incremental.cutoff.kinds import BODY, DEPENDENCY, KINDS, QUIET, SEVERAL, changed
from incremental.cutoff.model import Library
from incremental.cutoff.random_library import random_library
from quard.parts.interface import difference

_REDRAWS = 5


@dataclass(frozen=True)
class Pair:
    """The two libraries of a case before or after the change; `other` is what `main` depends on."""

    main: Library
    other: Library | None

    def texts(self) -> dict[str, str]:
        """Return the files and the facts that make up the libraries, by name."""
        found: dict[str, str] = {}
        for library in (self.main, self.other):
            if library is not None:
                found |= source.files(library)
                facts = [f"{key} = {value!r}" for key, value in vars(library).items()]
                found[f"{library.name} itself"] = "\n".join(facts) + "\n"
        return found


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    skipped   -- the cutoff would not rebuild the dependants: the interfaces are equal
    unchanged -- the packages' dev parts are the same bytes
    archives  -- a static library is in them
    reasons   -- differences of the interfaces, a line each
    outputs   -- number of dependants, of which `failed` could not be linked even before
    differing -- names of the dependants that came out different
    report    -- what somebody needs to know who looks into a counterexample; empty for others
    """

    seed: int
    number: int
    kind: str
    skipped: bool
    unchanged: bool
    archives: bool
    reasons: tuple[str, ...]
    outputs: int
    failed: int
    differing: tuple[str, ...]
    redraws: int
    report: str

    @property
    def unsound(self) -> bool:
        """Whether the case refutes the property."""
        return self.skipped and bool(self.differing)

    @property
    def coarse(self) -> bool:
        """Whether dependants would be rebuilt for nothing, as far as the case's ones tell."""
        return not self.skipped and not self.differing

    @property
    def body_counts(self) -> bool:
        """Whether a mere function body would reach dependants of a shared library."""
        return self.kind.endswith(BODY) and not self.archives and not self.skipped


@dataclass(frozen=True)
class Drawing:
    """A case before anything is built."""

    kind: str
    before: Pair
    after: Pair
    dependants: tuple[Dependant, ...]


def judge(place: CaseFolder, seed: int, number: int, kinds: tuple[str, ...] = ()) -> Verdict:
    """Draw a case and build it.

    kinds -- of change to choose from; empty for all
    Raises BuildError if the generator makes nothing that can be built.
    """
    for redraws in range(_REDRAWS):
        rolls = random.Random(f"{seed} {number} {redraws}")
        drawing = draw(rolls, kinds)
        try:
            return _verdict(place, drawing, (seed, number, redraws))
        except BuildError as error:
            refusal = error
    raise refusal


def draw(rolls: random.Random, kinds: tuple[str, ...] = ()) -> Drawing:
    """Draw libraries, a change and dependants.

    pkgconf 2.5 finds no package whose name is one letter.
    """
    depends = rolls.random() < 0.2
    other = random_library(rolls, "other") if depends else None
    before = Pair(random_library(rolls, "main", depends=depends), other)
    kind, after = _changed(before, rolls, kinds)
    return Drawing(kind, before, after, Drawn(before.main, rolls).all())


def _changed(pair: Pair, rolls: random.Random, kinds: tuple[str, ...]) -> tuple[str, Pair]:
    if pair.other is not None and rolls.random() < 0.4:
        kind, other = changed(pair.other, rolls, kinds or tuple(KINDS))
        return DEPENDENCY + kind, Pair(pair.main, other)
    if kinds or rolls.random() < 0.85:
        kind, main = changed(pair.main, rolls, kinds or tuple(KINDS))
        return kind, Pair(main, pair.other)
    main = pair.main
    for _ in range(rolls.randrange(2, 5)):
        _, main = changed(main, rolls, tuple(QUIET))
    return SEVERAL, Pair(main, pair.other)


def _verdict(place: CaseFolder, drawing: Drawing, name: tuple[int, int, int]) -> Verdict:
    seed, number, redraws = name
    place.clear()
    old, before = _built(place, drawing.before, drawing)
    place.empty()
    new, after = _built(place, drawing.after, drawing)
    differing = [one for one in before if before[one] != after[one]]
    if drawing.before.other is not None and drawing.before.main == drawing.after.main:
        differing += _library_itself(old, new)
    skipped = _interfaces(old) == _interfaces(new)
    libraries = (drawing.before.main, drawing.before.other, drawing.after.main, drawing.after.other)
    verdict = Verdict(
        seed=seed,
        number=number,
        kind=drawing.kind,
        skipped=skipped,
        unchanged=[one.dev for one in old.values()] == [one.dev for one in new.values()],
        archives=any(one is not None and one.static for one in libraries),
        reasons=_reasons(old, new),
        outputs=len(before),
        failed=sum(isinstance(one, Failed) for one in before.values()),
        differing=tuple(differing),
        redraws=redraws,
        report="",
    )
    if not verdict.unsound and not verdict.body_counts:
        return verdict
    text = report(verdict, drawing, before, after)
    return Verdict(**vars(verdict) | {"report": text})


def _built(
    place: CaseFolder, pair: Pair, drawing: Drawing
) -> tuple[dict[str, Package], dict[str, bytes | Failed]]:
    """Build the libraries and what is linked with them."""
    packages = {}
    for library in (pair.other, pair.main):
        if library is not None:
            packages[library.name] = place.library(library)
    return packages, place.dependants(drawing.before.main, drawing.dependants)


def _library_itself(old: Mapping[str, Package], new: Mapping[str, Package]) -> list[str]:
    """Return the name of the library that depends on the changed one, if it came out different.

    It is a dependant like any other.
    """
    return ["the library main itself"] if old["main"].dev != new["main"].dev else []


def _interfaces(packages: Mapping[str, Package]) -> list[Mapping[str, object]]:
    return [package.interface for package in packages.values()]


def _reasons(old: Mapping[str, Package], new: Mapping[str, Package]) -> tuple[str, ...]:
    return tuple(
        line for name in old for line in difference(old[name].interface, new[name].interface)
    )


def report(
    verdict: Verdict,
    drawing: Drawing,
    before: Mapping[str, bytes | Failed],
    after: Mapping[str, bytes | Failed],
) -> str:
    """Return all that tells how a case came out: the change, and what differs in dependants."""
    lines = [f"seed {verdict.seed}, case {verdict.number}: {drawing.kind}"]
    lines.append(f"interfaces {'equal' if verdict.skipped else 'different'}")
    lines += [f"  {line}" for line in verdict.reasons]
    old, new = drawing.before.texts(), drawing.after.texts()
    for name in sorted({*old, *new}):
        texts = (old.get(name, "").splitlines(), new.get(name, "").splitlines())
        lines += difflib.unified_diff(*texts, f"before/{name}", f"after/{name}", lineterm="")
    for one in drawing.dependants:
        if one.name in verdict.differing:
            lines.append(f"dependant {one.name}: {' '.join(one.link)}")
            lines.append(f"  {_what_differs(before[one.name], after[one.name])}")
            for unit in one.units:
                lines.append(f"  {unit.name}.c, compiled with {' '.join(unit.options)}:")
                lines += [f"    {line}" for line in unit.text.splitlines()]
    lines += [name for name in verdict.differing if name not in before]
    return "\n".join(lines) + "\n"


def _what_differs(old: bytes | Failed, new: bytes | Failed) -> str:
    if isinstance(old, Failed) or isinstance(new, Failed):
        texts = [one.text if isinstance(one, Failed) else "built" for one in (old, new)]
        return f"{texts[0]} -> {texts[1]}"
    places = [n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    first = f"first at {places[0]:#x}" if places else "at the end"
    return f"{len(old)} -> {len(new)} bytes, {len(places)} differ, {first}"
