"""quard.tools.listing: damage to packages and roots is noticed, and the damaged is made again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deb_parts import described
from root_parts import LINKS, Here

from quard.base.files import file_sha256
from quard.store.member import EPOCH
from quard.tools import listing
from quard.tools.listing import Thorough, beside, quick


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def replace_by_link(path: Path, target: str) -> None:
    discard(path)
    path.symlink_to(target)


def discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def write(path: Path, content: bytes, time: int | None = None) -> None:
    """Write into a file without making a new one, as through any of its hard links."""
    with path.open("r+b") as opened:
        opened.write(content)
    if time is not None:
        os.utime(path, (time, time))


CHANGED = "fetching and unpacking 1 package of the pinned tools"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "file gone": (lambda usr: (usr / "bin/make").unlink(), "usr/bin/make is missing"),
    "folder gone": (lambda usr: shutil.rmtree(usr / "share"), "usr/share is missing, and 1 other"),
    "everything gone": (shutil.rmtree, "usr is missing, and 7 others"),
    "other size": (
        lambda usr: write(usr / "bin/make", b"make2", EPOCH),
        "usr/bin/make has been changed",
    ),
    "other time": (lambda usr: write(usr / "bin/make", b"MAKE"), "usr/bin/make has been changed"),
    "other mode": (lambda usr: (usr / "bin/make").chmod(0o644), "usr/bin/make has another mode"),
    "folder of another mode": (lambda usr: (usr / "bin").chmod(0o700), "usr/bin has another mode"),
    "target of a link gone": (lambda usr: (usr / "bin/gawk").unlink(), "usr/bin/gawk is missing"),
    "link that leads nowhere": (
        lambda usr: replace_by_link(usr / "bin/igawk", "absent"),
        "usr/bin/igawk leads to another place",
    ),
    "own link that leads nowhere": (
        lambda usr: replace_by_link(usr / "bin/awk", "/absent"),
        "usr/bin/awk leads to another place",
    ),
    "link instead of a file": (
        lambda usr: replace_by_link(usr / "bin/make", "gawk"),
        "usr/bin/make is a link, not a file",
    ),
    "link instead of a folder": (
        lambda usr: replace_by_link(usr / "share", "/usr/share"),
        "usr/share is a link, not a folder, and 1 other",
    ),
    "folder instead of a file": (
        lambda usr: replace_by_folder(usr / "bin/make"),
        "usr/bin/make is a folder, not a file",
    ),
    "pipe instead of a file": (
        lambda usr: replace_by_pipe(usr / "bin/make"),
        "usr/bin/make is a special file, not a file",
    ),
    "further file": (
        lambda usr: (usr / "bin/tool").touch(),
        "usr/bin/tool does not belong there",
    ),
    "damaged listing": (
        lambda usr: write(beside(usr.parent), b"{x"),
        ".files is damaged",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_root_is_made_again_with_one_line(here: Here, kind: str) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    before = described(root)
    damage, said = DAMAGE[kind]
    damage(root / "usr")
    again = here.again()
    assert again.provide(here.both, LINKS).folder == root
    assert described(root) == before
    assert here.said[0].startswith(f"tools/roots/{root.name} is damaged and made again: ")
    assert here.said[0].endswith(said)
    # What was written through the root is also in the package.
    assert all(line.startswith(CHANGED) for line in here.said[1:])
    assert len(here.said) == 1 + (kind in ("other size", "other time", "other mode"))
    here.is_tidy()
    assert here.again().provide(here.both, LINKS).folder == root
    assert here.said == []


@pytest.mark.parametrize("kind", ["absent", "file", "link", "no listing"])
def test_a_root_whose_folder_is_lost_is_made_again(here: Here, kind: str) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    before = described(root)
    if kind == "no listing":
        beside(root).unlink()
    else:
        shutil.rmtree(root)
    if kind == "file":
        root.touch()
    if kind == "link":
        root.symlink_to("nowhere")
    assert here.again().provide(here.both, LINKS).folder == root
    assert described(root) == before
    assert here.said == []
    here.is_tidy()


def test_a_lost_description_of_a_root_is_written_again(here: Here) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    description = root.with_name(f"{root.name}.json")
    before = description.read_text()
    description.unlink()
    here.again().provide(here.both, LINKS)
    assert description.read_text() == before
    assert here.said == []


def test_a_root_is_looked_at_once_in_a_run(here: Here) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    seen = []

    def look(place: Path) -> str:
        seen.append(place)
        return quick(place)

    again = here.again(look)
    for _ in range(3):
        again.provide(here.both, LINKS)
    assert seen == [root]


def test_threads_that_use_a_damaged_root_make_it_once(here: Here) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    (root / "usr/bin/make").unlink()
    again = here.again()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(again.provide, here.both, LINKS) for _ in range(8)]
        assert {future.result().folder for future in asked} == {root}
    assert [line for line in here.said if "waiting" not in line] == [
        f"tools/roots/{root.name} is damaged and made again: usr/bin/make is missing"
    ]
    here.is_tidy()


def test_a_root_that_another_run_has_made_again_stays(here: Here) -> None:
    """Builds of the other run use it already."""
    root = here.roots.provide(here.both, LINKS).folder
    (root / "usr/bin/make").unlink()
    other = here.again()

    def look(place: Path) -> str:
        found = quick(place)
        if found:
            other.provide(here.both, LINKS)
            made.append(root.stat().st_ino)
        return found

    made: list[int] = []
    here.again(look).provide(here.both, LINKS)
    assert made == [root.stat().st_ino]


def test_no_root_is_made_of_a_damaged_package(here: Here) -> None:
    here.roots.prepare(here.both)
    package = here.cache / "packages" / here.make.sha256
    (package / "usr/bin/make").unlink()
    root = here.again().provide(here.both, LINKS).folder
    assert (root / "usr/bin/make").read_bytes() == b"make"
    assert here.mirror.fetched == [*here.mirror.fetched[:2], "make"]
    assert here.said == [
        f"{CHANGED} ({here.make.size} B); make is damaged: usr/bin/make is missing"
    ]
    here.is_tidy()


@pytest.mark.parametrize("where", ["root", "package"])
def test_other_content_of_the_same_size_and_time_is_found_by_the_thorough_look(
    here: Here, where: str
) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    before = described(root)
    top = root if where == "root" else here.cache / "packages" / here.make.sha256
    write(top / "usr/bin/make", b"MAKE", EPOCH)
    assert (quick(root), described(root) != before) == ("", True)
    here.again().provide(here.both, LINKS)
    assert here.said == []
    here.again(Thorough()).provide(here.both, LINKS)
    said = "usr/bin/make has other content"
    assert here.said == [
        f"tools/roots/{root.name} is damaged and made again: {said}",
        f"{CHANGED} ({here.make.size} B); make is damaged: {said}",
    ]
    assert described(root) == before


def test_a_copied_file_of_a_root_is_made_again_from_the_package(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    root = here.roots.provide(here.both, LINKS).folder
    write(root / "usr/bin/make", b"MAKE", EPOCH)
    here.again(Thorough()).provide(here.both, LINKS)
    assert (root / "usr/bin/make").read_bytes() == b"make"
    assert sorted(here.mirror.fetched) == ["gawk", "make"]


def test_the_thorough_look_reads_a_file_of_several_roots_once(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.roots.provide(here.both, LINKS)
    here.roots.provide((here.make,), {})
    read: list[str] = []

    def sha256(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(listing, "file_sha256", sha256)
    again = here.again(Thorough())
    again.provide(here.both, LINKS)
    again.provide((here.make,), {})
    # Both packages have a file of that name; the first root has the one of gawk.
    assert sorted(read) == ["common", "common", "gawk", "make"]
    assert here.said == []


def test_damage_to_names_that_are_not_utf_8_is_told(here: Here) -> None:
    name = os.fsdecode(b"usr/bin/\xe9")
    folder = here.cache / "one"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / name).write_bytes(b"x")
    os.utime(folder / name, (EPOCH, EPOCH))
    listing.write(folder, folder, {name: file_sha256(folder / name)})
    assert (quick(folder), Thorough()(folder)) == ("", "")
    (folder / name).unlink()
    assert quick(folder).endswith("is missing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_damage(here: Here) -> None:
    root = here.roots.provide(here.both, LINKS).folder
    (root / "usr/bin").chmod(0)
    assert "Permission denied" in quick(root)
    here.again().provide(here.both, LINKS)
    assert quick(root) == ""


def test_a_listing_has_no_time_and_no_place(here: Here, tmp_path: Path) -> None:
    one = here.roots.provide(here.both, LINKS).folder
    here.cache = tmp_path / "other"
    two = here.again().provide(here.both, LINKS).folder
    assert beside(one).read_bytes() == beside(two).read_bytes()
