"""Starting a pinned program with and without the lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deb_parts import deb, file
from root_parts import Here
from tool_parts import NAMES

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.tools.lock import Lock
from quard.tools.pinned import Memory, PinnedTools
from quard.tools.roots import Roots
from quard.tools.selection import Selection


class Place:
    """A program in a package that another one needs, and the tools as several runs have them."""

    def __init__(self, folder: Path) -> None:
        self.here = Here(folder)
        self._programs = folder / "programs.json"
        self.loaded = 0
        library = self.here.mirror.add("libc", deb(file("./usr/lib/libc.so", b"c")))
        mkfs = self.here.mirror.add("mkfs", deb(file("./usr/sbin/mkfs", b"mkfs", 0o755)))
        packages = {
            "libc": library,
            "mkfs": replace(mkfs, needs=("libc",), commands=("mkfs",)),
        }
        self._lock = Lock(release="one", machine="amd64", packages=packages)

    def run(self) -> PinnedTools:
        """Return the tools of a new run."""
        roots = self.here.again()
        memory = Memory(Programs(self._programs), (), "one")
        return PinnedTools(lambda: self._load(roots), memory, roots.ready)

    def _load(self, roots: Roots) -> Selection:
        self.loaded += 1
        return Selection(self._lock, NAMES, "one-linux", roots)

    @property
    def root(self) -> Path:
        (found,) = (path for path in (self.here.cache / "roots").iterdir() if path.is_dir())
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_lock_is_read_until_the_root_is_made(place: Place) -> None:
    words = place.run().start_tool("mkfs")
    assert words[-1] == str(place.root / "usr/sbin/mkfs")
    assert place.loaded == 1
    again = place.run()
    assert again.start_tool("mkfs") == again.start_tool("mkfs") == words
    assert place.loaded == 1


@pytest.mark.parametrize("harm", ["removed", "emptied", "listing"])
def test_a_damaged_root_is_made_again(place: Place, harm: str) -> None:
    words = place.run().start_tool("mkfs")
    program = Path(words[-1])
    match harm:
        case "removed":
            program.unlink()
        case "emptied":
            program.chmod(0o755)
            program.write_bytes(b"")
        case _:
            place.root.with_name(f"{place.root.name}.files").unlink()
    for path in place.here.cache.glob("packages/*/usr/sbin/mkfs"):
        path.unlink(missing_ok=True)
    again = place.run()
    assert again.start_tool("mkfs") == words
    assert place.loaded == 2 and program.read_bytes() == b"mkfs"
    assert sum("is damaged and made again" in line for line in place.here.said) <= 2


def test_a_root_that_nobody_can_describe_is_described(place: Place) -> None:
    place.run().start_tool("mkfs")
    description = place.root.with_name(f"{place.root.name}.json")
    text = description.read_text()
    description.unlink()
    place.run().start_tool("mkfs")
    assert description.read_text() == text
    assert place.loaded == 2


def test_a_program_that_no_package_has_has_no_words(place: Place) -> None:
    place.run().start_tool("mkfs")
    assert place.run().start_tool("other") == ()


def test_a_root_without_the_program_is_an_error(place: Place) -> None:
    """Its listing agrees: the package does not have what the lock says."""
    packages = {**place._lock.packages}
    packages["odd"] = replace(packages["libc"], commands=("odd",))
    place._lock = replace(place._lock, packages=packages)
    for _ in range(2):
        with pytest.raises(QuardError) as caught:
            place.run().start_tool("odd")
        assert caught.value.reason == "tool-missing"
