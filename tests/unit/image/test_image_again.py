"""Images made after others are those that are made from nothing, whatever was edited."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import image_parts as parts
import pytest

from quard.image import overlay
from quard.image.make import Maker
from quard.image.rootfs import assemble
from quard.image.roottar import RootTar
from quard.image.write import USE
from quard.plan.image import FILES, FileSystemPlan

PLANS = [FileSystemPlan(format=name, label="rootfs" * (name == "ext4")) for name in FILES]
EDITS = 6


def images(overlays: Path, folder: Path, lent: Path | None = None) -> dict[str, bytes]:
    """Make all images of an overlay in a folder, which may have older ones.

    lent -- folder of what checkouts lend each other
    """
    folder.mkdir(exist_ok=True)
    found = overlay.scan("rootfs", overlays)
    large = b"".join(random.Random(5).choices((b"code", b"text", b"\n"), k=60_000))
    packages = {"app": {"usr/bin/app": (large, 0o755), "usr/lib/a.txt": b"a", "init": "usr/bin/sh"}}
    job = parts.spec(overlays.parent, packages, overlays=(found,), formats=tuple(FILES))
    made = assemble(job, folder / "rootfs.tar", folder / "manifest.json")
    tar = RootTar(folder / "rootfs.tar", made.sha256)
    maker = Maker(folder, USE, folder / "kept", lent)
    for plan in PLANS:
        maker.file_system(plan, tar, FILES[plan.format], "the machine's")
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "kept"
    }


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def add(folder: Path, chance: random.Random) -> None:
    path = folder / chance.choice(("etc", "opt/deep/er", "usr/lib")) / f"n{chance.randrange(999)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chance.randbytes(chance.choice((0, 3, 5000, 200_000))))


def change(folder: Path, chance: random.Random) -> None:
    path = chance.choice([path for path in files(folder) if not path.is_symlink()])
    path.write_bytes(path.read_bytes()[: chance.randrange(100)] + b"changed")


def remove(folder: Path, chance: random.Random) -> None:
    chance.choice(files(folder)).unlink()


def chmod(folder: Path, chance: random.Random) -> None:
    path = chance.choice([path for path in files(folder) if not path.is_symlink()])
    path.chmod(path.stat().st_mode ^ 0o111)


def rename(folder: Path, chance: random.Random) -> None:
    path = chance.choice(files(folder))
    path.rename(path.with_name(f"r{chance.randrange(999)}"))


def link(folder: Path, chance: random.Random) -> None:
    (folder / f"etc/l{chance.randrange(999)}").symlink_to("passwd")


KINDS: tuple[Callable[[Path, random.Random], None], ...] = (
    *(add, change, remove, chmod, rename, link),
)


def different(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Return the names of files that differ, or that one side lacks."""
    names = sorted(found.keys() | expected.keys())
    return [name for name in names if found.get(name) != expected.get(name)]


@pytest.mark.parametrize("seed", range(4))
def test_incremental_images_are_those_made_from_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder, kept = tmp_path / "rootfs", tmp_path / "images"
    for _ in range(12):
        add(folder, chance)
    images(folder, kept)
    for number in range(EDITS):
        for edit in chance.sample(KINDS, k=chance.randrange(1, 4)):
            edit(folder, chance)
        fresh = tmp_path / "fresh"
        expected = images(folder, fresh)
        shutil.rmtree(fresh)
        found = images(folder, kept)
        assert different(found, expected) == [], f"edit {number}"


@pytest.mark.parametrize("edit", KINDS, ids=lambda edit: edit.__name__)
def test_images_after_an_edit_and_its_reversal_are_those_made_from_nothing(
    tmp_path: Path, edit: Callable[[Path, random.Random], None]
) -> None:
    """Also where another checkout has made those of the edit, and lends what it had compressed."""
    chance = random.Random(6)
    folder, before, lent = tmp_path / "rootfs", tmp_path / "before", tmp_path / "lent"
    for _ in range(8):
        add(folder, chance)
    expected = images(folder, tmp_path / "first")
    shutil.copytree(folder, before, symlinks=True)
    edit(folder, chance)
    edited = images(folder, tmp_path / "other", lent)
    assert different(edited, expected) == sorted(expected)
    assert different(images(folder, tmp_path / "first", lent), edited) == []
    shutil.rmtree(folder)
    before.rename(folder)
    assert different(images(folder, tmp_path / "first", lent), expected) == []


def test_one_changed_file_compresses_little_again(tmp_path: Path) -> None:
    folder, kept = tmp_path / "rootfs", tmp_path / "images"
    chance = random.Random(1)
    for _ in range(60):
        add(folder, chance)
    images(folder, kept)
    segments = kept / "kept" / FILES["cpio.gz"]
    before = {entry.name for entry in os.scandir(segments)}
    (folder / "etc/n").write_text("one file more")
    images(folder, kept)
    after = {entry.name for entry in os.scandir(segments)}
    assert len(before) > 8
    assert len(after - before) <= 2
