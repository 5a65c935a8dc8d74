"""One rule for "up to date": each thing that a result depends on, changed alone, voids it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection
from pathlib import Path

import pytest

from quard.ledger.basis import key
from quard.ledger.ledger import Ledger
from quard.ledger.results import read_result, write_result
from quard.plan.image import FileSystemPlan
from quard.plan.plan import Plan
from quard.plan.unit import TARGET_PARTS, Input, Unit
from quard.store.local import Store
from quard.store.stores import Stores

A, B = "a" * 64, "b" * 64


def package(name: str, *sees: str, deploys: bool = False) -> Unit:
    plan = Plan(name=name, version="1", triple="t", sources=(A, B), deploys=deploys)
    parts = ("interface", *TARGET_PARTS, *(["deploy"] if deploys else []))
    return Unit(f"{name}@one", plan, tuple(Input(f"{n}@one", "interface") for n in sees), parts)


UNITS = {
    unit.id: unit
    for unit in (
        package("base"),
        package("lib", "base"),
        package("tool", "base", "lib", deploys=True),
        package("other"),
        Unit(
            "one/root.ext4",
            FileSystemPlan(format="ext4"),
            (
                Input("tool@one", "libs"),
                Input("tool@one", "programs"),
                Input("other@one", "libs"),
            ),
            files=("root.ext4",),
        ),
    )
}
ALL = set(UNITS)


@dataclasses.dataclass
class Executor:
    tools: str = "7" * 64
    seals: bool = True
    mke2fs: str = "1.47"
    taken: str = ""

    def builds_with(self, commands: tuple[str, ...], *, native: bool) -> str:
        return " ".join((self.tools, *commands, *(["natively"] if native else [])))

    def takes(self, unit: Unit) -> str:
        return self.taken if unit.name == "lib" else ""

    def tool(self, name: str) -> str:
        return {"mke2fs": self.mke2fs}.get(name, "the same")


class Place:
    """Results of four packages and an image, all of them up to date."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = folder / "images"
        self.images.mkdir()
        shared = Store(folder / "shared")
        self.stores = Stores(Store(folder / "local"), shared)
        ledger = self.ledger()
        for unit in UNITS.values():
            parts = {part: self.blob(f"{part} of {unit.name}") for part in unit.parts}
            write_result(ledger.results(unit), key(ledger.basis(unit)), ledger.basis(unit), parts)
            for path in ledger.files(unit):
                path.touch()
            ledger.made(unit)

    def blob(self, text: str) -> str:
        path = self.folder / "new"
        path.write_text(text)
        return self.stores.home(local=False).add(path)

    def ledger(
        self, units: dict[str, Unit] | None = None, executor: Executor | None = None
    ) -> Ledger:
        folder = self.folder / "units"
        return Ledger(folder, self.images, units or UNITS, self.stores, executor or Executor())

    def same(
        self,
        units: dict[str, Unit] | None = None,
        forced: Collection[str] = (),
        executor: Executor | None = None,
    ) -> set[str]:
        given = units or UNITS
        return set(self.ledger(given, executor).unchanged(given.values(), forced))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def without(*names: str) -> set[str]:
    return ALL - set(names)


def changed(name: str, **fields: object) -> dict[str, Unit]:
    unit = UNITS[name]
    assert isinstance(unit.plan, Plan)
    plan = dataclasses.replace(unit.plan, **fields)  # type: ignore[arg-type]
    return {**UNITS, name: dataclasses.replace(unit, plan=plan)}


def test_what_is_as_it_was_is_unchanged(place: Place) -> None:
    assert place.same() == ALL


def test_without_results_nothing_is_unchanged(tmp_path: Path) -> None:
    stores = Stores(Store(tmp_path / "local"), Store(tmp_path / "shared"))
    ledger = Ledger(tmp_path, tmp_path, UNITS, stores, Executor())
    assert ledger.unchanged(UNITS.values(), ()) == frozenset()


def test_another_plan_voids_the_result_and_all_that_is_made_of_it(place: Place) -> None:
    assert place.same(changed("lib@one", cflags="-Os")) == {"base@one", "other@one"}


def test_a_result_without_a_part_that_others_may_use_is_void(place: Place) -> None:
    """An older version of the engine has made it, with the same plan."""
    lib = dataclasses.replace(UNITS["lib@one"], parts=(*UNITS["lib@one"].parts, "dev"))
    units = {**UNITS, lib.id: lib}
    assert place.same(units) == {"base@one", "other@one"}
    assert not place.ledger(units).is_current(lib) and not place.ledger(units).may_stay(lib)


def test_files_of_the_machine_void_the_result_of_the_package_that_has_them(place: Place) -> None:
    assert place.same(executor=Executor(taken="5" * 64)) == {"base@one", "other@one"}


def test_an_archive_more_changes_nothing(place: Place) -> None:
    assert place.same(changed("base@one", sources=(A, B, "c" * 64))) == ALL
    assert place.same(changed("base@one", sources=(B, A))) == ALL


def test_a_result_of_an_archive_that_is_no_longer_accepted_is_void(place: Place) -> None:
    assert place.same(changed("base@one", sources=(B,))) == {"other@one"}


def test_another_input_than_before_voids_the_result(place: Place) -> None:
    tool = dataclasses.replace(UNITS["tool@one"], inputs=(Input("base@one", "interface"),))
    assert place.same({**UNITS, "tool@one": tool}) == without("tool@one", "one/root.ext4")


def test_another_toolchain_voids_every_package(place: Place) -> None:
    assert place.same(executor=Executor("8" * 64)) == set()


def test_another_tool_of_the_machine_voids_what_it_made(place: Place) -> None:
    assert place.same(executor=Executor(mke2fs="1.48")) == without("one/root.ext4")
    assert place.ledger(executor=Executor(mke2fs="1.48")).signature(
        UNITS["one/root.ext4"]
    ) != place.ledger().signature(UNITS["one/root.ext4"])


def test_what_was_made_sealed_stays_good_where_builds_are_not(place: Place) -> None:
    assert place.same(executor=Executor(seals=False)) == ALL


def test_what_was_not_made_sealed_is_void_once_builds_are(place: Place) -> None:
    ledger = place.ledger(executor=Executor(seals=False))
    base = UNITS["base@one"]
    ledger.made(base)
    parts = {part: place.blob(f"{part} of base") for part in base.parts}
    write_result(ledger.results(base), key(ledger.basis(base)), ledger.basis(base), parts)
    assert place.same(executor=Executor(seals=False)) == ALL
    assert place.same() == {"other@one"}


@pytest.mark.parametrize(
    ("name", "part", "void"),
    [
        ("base", "interface", {"lib@one", "tool@one", "one/root.ext4"}),
        ("lib", "interface", {"tool@one", "one/root.ext4"}),
        ("lib", "libs", set()),
        ("tool", "libs", {"one/root.ext4"}),
        ("tool", "programs", {"one/root.ext4"}),
        ("other", "libs", {"one/root.ext4"}),
        ("other", "programs", set()),
        ("tool", "deploy", set()),
    ],
)
def test_another_digest_of_a_part_voids_what_is_made_of_that_part(
    place: Place, name: str, part: str, void: set[str]
) -> None:
    ledger, unit = place.ledger(), UNITS[f"{name}@one"]
    found = ledger.result(unit)
    assert found is not None
    parts = {**found.parts, part: place.blob("another")}
    write_result(ledger.results(unit), key(ledger.basis(unit)), ledger.basis(unit), parts)
    assert place.same() == ALL - void


@pytest.mark.parametrize("how", ["emptied", "gone", "a folder", "cut off", "edited"])
def test_a_damaged_result_is_none(place: Place, how: str) -> None:
    path = place.ledger().results(UNITS["lib@one"]).result
    text = path.read_text()
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how != "gone":
        path.write_text(
            {"emptied": "", "cut off": text[:-9], "edited": text.replace("7", "8", 1)}[how]
        )
    assert read_result(place.ledger().results(UNITS["lib@one"])) is None
    assert place.same() == {"base@one", "other@one"}


def test_a_changed_byte_of_a_result_never_passes(place: Place) -> None:
    path = place.ledger().results(UNITS["other@one"]).result
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + b"~" + whole[at + 1 :])
        assert "other@one" not in place.same()


def test_a_forced_unit_and_what_is_made_of_it_are_looked_at(place: Place) -> None:
    assert place.same(forced=("lib@one",)) == {"base@one", "other@one"}


def test_a_package_whose_blob_is_lost_is_looked_at(place: Place) -> None:
    sha256 = hashlib.sha256(b"deploy of tool").hexdigest()
    place.stores.home(local=False).path(sha256).unlink()
    assert place.same() == without("tool@one", "one/root.ext4")


def test_a_file_that_is_gone_is_made_again(place: Place) -> None:
    (place.images / "root.ext4").unlink()
    assert place.same() == without("one/root.ext4")


def test_times_and_inodes_say_nothing(place: Place) -> None:
    for path in (place.folder / "units").rglob("*.json"):
        text = path.read_text()
        path.unlink()
        path.write_text(text)
    assert place.same() == ALL


def test_the_signature_names_neither_archive_nor_seal(place: Place) -> None:
    base = UNITS["base@one"]
    first = place.ledger().signature(base)
    assert place.ledger(executor=Executor(seals=False)).signature(base) == first
    other = changed("base@one", sources=(B,))
    assert place.ledger(other).signature(other["base@one"]) == first
    assert place.ledger(executor=Executor("8" * 64)).signature(base) != first


def test_a_result_may_stay_if_only_its_inputs_are_in_doubt(place: Place) -> None:
    (place.folder / "units/base.json").unlink()
    lib = UNITS["lib@one"]
    assert not place.ledger().is_current(lib)
    assert place.ledger().may_stay(lib)


@pytest.mark.parametrize("what", ["plan", "inputs", "toolchain", "archive", "blob", "basis"])
def test_a_result_may_not_stay_whatever_its_inputs_will_be(place: Place, what: str) -> None:
    lib, executor = UNITS["lib@one"], Executor()
    plan = lib.plan
    assert isinstance(plan, Plan)
    match what:
        case "plan":
            lib = dataclasses.replace(lib, plan=dataclasses.replace(plan, cflags="-Os"))
        case "archive":
            lib = dataclasses.replace(lib, plan=dataclasses.replace(plan, sources=(B,)))
        case "inputs":
            lib = dataclasses.replace(lib, inputs=(*lib.inputs, Input("other@one", "interface")))
        case "toolchain":
            executor = Executor("8" * 64)
        case "blob":
            sha256 = hashlib.sha256(b"libs of lib").hexdigest()
            place.stores.home(local=False).path(sha256).unlink()
        case "basis":
            place.ledger().results(lib).basis.write_text("{}")
    assert not place.ledger({**UNITS, lib.id: lib}, executor).may_stay(lib)
