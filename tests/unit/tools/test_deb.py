"""quard.tools.deb and quard.tools.content, with sound packages, damaged and hostile ones."""

from __future__ import annotations

import importlib.util
import lzma
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import deb_parts as parts
import pytest
from deb_parts import ar, deb, described, file, folder, hard_link, link, tar

from quard.base.errors import QuardError
from quard.sources import members
from quard.tools.content import unpack
from quard.tools.deb import commands, entries

CONTROL = ("control.tar.gz", b"")
SOUND = (
    folder("./"),
    folder("./usr/"),
    folder("./usr/bin/"),
    file("./usr/bin/tool", b"#!/bin/sh\n", 0o755),
    link("./usr/bin/alias", "tool"),
    hard_link("./usr/bin/other", "./usr/bin/tool"),
    file("./usr/share/doc/tool/changelog.gz"),
    file("./usr/share/doc/tool/copyright", b"terms"),
    file("./usr/share/man/man1/tool.1.gz"),
    file("./usr/share/locale/de/LC_MESSAGES/tool.mo"),
    file("./usr/lib/locale/C.utf8/LC_CTYPE", b"locale"),
    file("./etc/tool.conf"),
    link("./usr/share/tool.conf", "/etc/tool.conf"),
)


class Place:
    """Where packages are unpacked, in a folder beside which nothing may appear."""

    def __init__(self, top: Path) -> None:
        self.into = top / "inside" / "into"
        self.into.mkdir(parents=True)
        self._deb = top / "tool_1_amd64.deb"
        self._top = top

    def unpack(self, content: bytes) -> list[str]:
        self._deb.write_bytes(content)
        unpack(self._deb, self.into)
        return sorted(str(path.relative_to(self.into)) for path in self.into.rglob("*"))

    def refused(self, content: bytes) -> QuardError:
        before = {path for path in self._top.rglob("*") if self.into not in path.parents}
        with pytest.raises(QuardError) as caught:
            self.unpack(content)
        after = {path for path in self._top.rglob("*") if self.into not in path.parents}
        assert after - before <= {self._deb}
        assert caught.value.reason == "bad-deb"
        assert "tool_1_amd64.deb" in caught.value.message
        assert caught.value.hint
        return caught.value

    def listed(self, content: bytes) -> tuple[str, ...]:
        self._deb.write_bytes(content)
        return tuple(entry.path for entry in entries(self._deb))

    def commands(self, content: bytes) -> tuple[str, ...]:
        self._deb.write_bytes(content)
        return commands(self._deb)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("suffix", parts.COMPRESSED)
def test_what_builds_need_is_unpacked(place: Place, suffix: str) -> None:
    assert place.unpack(deb(*SOUND, suffix=suffix)) == [
        "usr",
        "usr/bin",
        "usr/bin/alias",
        "usr/bin/other",
        "usr/bin/tool",
        "usr/lib",
        "usr/lib/locale",
        "usr/lib/locale/C.utf8",
        "usr/lib/locale/C.utf8/LC_CTYPE",
        "usr/share",
        "usr/share/doc",
        "usr/share/doc/tool",
        "usr/share/doc/tool/copyright",
        "usr/share/tool.conf",
    ]
    tool = place.into / "usr/bin/tool"
    assert tool.read_bytes() == b"#!/bin/sh\n"
    assert tool.samefile(place.into / "usr/bin/other")
    assert os.readlink(place.into / "usr/bin/alias") == "tool"
    assert os.readlink(place.into / "usr/share/tool.conf") == "/etc/tool.conf"


def test_what_is_listed_is_what_is_unpacked(place: Place) -> None:
    listed = place.listed(deb(*SOUND))
    unpacked = place.unpack(deb(*SOUND))
    assert set(listed) <= set(unpacked)
    assert {path for path in unpacked if not (place.into / path).is_dir()} <= set(listed)


def test_commands_are_the_programs_and_links_in_the_folders_of_programs(place: Place) -> None:
    more = (file("./sbin/mkfs"), file("./usr/bin/perl/no"), file("./usr/bin/x86-lto-dump-14"))
    assert place.commands(deb(*SOUND, *more)) == ("alias", "mkfs", "other", "tool")


def test_folders_of_the_old_layout_are_placed_below_usr(place: Place) -> None:
    content = deb(
        link("./lib64", "usr/lib64"),
        file("./bin/sh"),
        file("./sbin/init"),
        file("./lib/libc.so"),
        file("./lib64/ld.so"),
        file("./var/lib/x"),
        file("./opt/x"),
    )
    found = [path for path in place.unpack(content) if (place.into / path).is_file()]
    assert found == ["usr/bin/sh", "usr/lib/libc.so", "usr/lib64/ld.so", "usr/sbin/init"]


def test_the_result_depends_on_the_package_alone(tmp_path: Path) -> None:
    content = deb(
        *SOUND, file("./usr/bin/setuid", mode=0o6755), file("./usr/share/own", mode=0o400)
    )
    found = []
    for name, umask in (("one", 0o077), ("two", 0o000)):
        (tmp_path / name).mkdir()
        before = os.umask(umask)
        try:
            place = Place(tmp_path / name)
            place.unpack(content)
        finally:
            os.umask(before)
        found.append(described(place.into))
    assert found[0] == found[1]
    assert (place.into / "usr/bin/setuid").stat().st_mode & 0o7777 == 0o755
    assert (place.into / "usr/share/own").stat().st_mode & 0o7777 == 0o600
    assert all(
        path.stat().st_mode & 0o777 == 0o755 for path in place.into.rglob("*") if path.is_dir()
    )


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_names_in_other_scripts_are_kept(place: Place, form: int) -> None:
    name = "usr/share/" + "/".join(["folder" * 20] * 3) + "/\u00fc\u2603"
    data = lzma.compress(tar(file(f"./{name}", b"there"), form=form))
    place.unpack(ar(parts.VERSION, CONTROL, ("data.tar.xz", data)))
    assert (place.into / name).read_bytes() == b"there"


UNSAFE = {
    "parent": (file("./usr/../../escaped"),),
    "parent of a file that is left out": (file("./etc/../../escaped"),),
    "absolute": (file("/usr/escaped"),),
    "absolute folder": (folder("/tmp/escaped"),),
    "behind a link": (link("./usr/lib", "/tmp"), file("./usr/lib/escaped")),
    "behind a relative link": (link("./usr/lib", "../../.."), file("./usr/lib/escaped")),
    "folder behind a link": (link("./usr/lib", ".."), folder("./usr/lib/escaped")),
    "link behind a link": (link("./usr/lib", ".."), link("./usr/lib/escaped", "x")),
    "behind a link in the place of usr": (link("./usr", ".."), file("./usr/escaped")),
    "folder in the place of a link": (link("./usr/lib", ".."), folder("./usr/lib")),
    "file in the place of a link": (link("./usr/lib", "../../x"), file("./usr/lib")),
    "hard link to the outside": (hard_link("./usr/passwd", "/etc/passwd"),),
    "hard link to a parent": (hard_link("./usr/escaped", "../../x"),),
    "hard link to a link": (link("./usr/a", "/etc/passwd"), hard_link("./usr/b", "usr/a")),
    "hard link behind a link": (link("./usr/a", ".."), hard_link("./usr/b", "usr/a/escaped")),
    "hard link to nothing": (hard_link("./usr/b", "usr/a"),),
    "hard link to a folder": (folder("./usr/a"), hard_link("./usr/b", "usr/a")),
    "hard link to what is left out": (file("./etc/a"), hard_link("./usr/b", "etc/a")),
    "device": (parts.special("./usr/null", tarfile.CHRTYPE),),
    "block device": (parts.special("./usr/disk", tarfile.BLKTYPE),),
    "pipe": (parts.special("./usr/pipe", tarfile.FIFOTYPE),),
    "device that is left out": (parts.special("./dev/null", tarfile.CHRTYPE),),
    "same file twice": (file("./usr/a"), file("./usr/a", b"y")),
    "same file in both layouts": (file("./usr/bin/a"), file("./bin/a", b"y")),
    "file and folder": (file("./usr/a"), file("./usr/a/b")),
    "folder and file": (file("./usr/a/b"), file("./usr/a")),
    "very deep": (file("./usr/" + "a/" * 500 + "b"),),
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_nothing_outside_is_touched(place: Place, kind: str) -> None:
    place.refused(deb(*UNSAFE[kind]))


DATA = ("data.tar.xz", lzma.compress(tar(file("./usr/a"))))
BAD = {
    "empty": b"",
    "text": b"<html>not found</html>\n" * 100,
    "other magic": b"!<thin>\n" + ar(parts.VERSION, CONTROL, DATA)[8:],
    "only the magic": ar(),
    "no version": ar(CONTROL, DATA),
    "version 3": ar(("debian-binary", b"3.0\n"), CONTROL, DATA),
    "no data": ar(parts.VERSION, CONTROL),
    "unknown compression": ar(parts.VERSION, CONTROL, ("data.tar.rot13", DATA[1])),
    "other compression": ar(parts.VERSION, CONTROL, ("data.tar.gz", DATA[1])),
    "bzip2 that is xz": ar(parts.VERSION, CONTROL, ("data.tar.bz2", DATA[1])),
    "plain that is xz": ar(parts.VERSION, CONTROL, ("data.tar", DATA[1])),
    "xz that is not": ar(parts.VERSION, CONTROL, ("data.tar.xz", tar(file("./usr/a")))),
    "no tar": ar(parts.VERSION, CONTROL, ("data.tar.xz", lzma.compress(b"text" * 1000))),
    "size no number": ar(parts.VERSION, CONTROL, DATA).replace(b"4         `", b"-4        `"),
    "size too large": ar(parts.VERSION, CONTROL, DATA).replace(b"4         `", b"4999999999`"),
    "header without its end": ar(parts.VERSION, CONTROL, DATA).replace(b"`\n", b"``"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_package_is_told(place: Place, kind: str) -> None:
    place.refused(BAD[kind])


def test_a_package_that_ends_too_early_is_told_at_every_length(place: Place) -> None:
    content = ar(parts.VERSION, CONTROL, DATA)
    for length in range(0, len(content) - 1):
        shutil.rmtree(place.into)
        place.into.mkdir()
        place.refused(content[:length])


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_damage_anywhere_in_the_files_is_told(place: Place, suffix: str) -> None:
    data = bytearray(parts.COMPRESSED[suffix](tar(file("./usr/a", os.urandom(5000)))))
    data[len(data) // 2] ^= 0x10
    place.refused(ar(parts.VERSION, CONTROL, (f"data.tar{suffix}", bytes(data))))


def test_a_package_that_grows_without_end_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "FLOOR", 1 << 20)
    content = deb(file("./usr/a", bytes(20 << 20)))
    assert "100 times" in place.refused(content).detail
    assert sum(path.stat().st_size for path in place.into.rglob("a")) < 5 << 20


def test_zstd_is_unpacked_where_python_has_it_and_else_named(place: Place) -> None:
    data = bytes.fromhex("28b52ffd0400010000") + bytes(4)
    error = place.refused(ar(parts.VERSION, CONTROL, ("data.tar.zst", data)))
    if importlib.util.find_spec("compression") is None:
        assert "Python 3.14" in error.detail
    else:
        assert "Python" not in error.detail


def test_a_check_ends_the_unpacking(place: Place, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(deb(*SOUND))

    def check() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(tmp_path / "x.deb", place.into, check)
    assert list(place.into.iterdir()) == []


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
@pytest.mark.parametrize("compression", ["gzip", "xz", "none"])
def test_files_are_as_dpkg_unpacks_them(place: Place, tmp_path: Path, compression: str) -> None:
    tree = tmp_path / "tree"
    for name in ("DEBIAN", "usr/bin", "usr/lib/tool", "usr/share/" + "n" * 120, "usr/empty", "etc"):
        (tree / name).mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.org>\n"
        "Description: a tool\n"
    )
    (tree / "usr/bin/tool").write_bytes(os.urandom(100_000))
    (tree / "usr/bin/tool").chmod(0o755)
    (tree / "usr/lib/tool/data").write_bytes(b"")
    (tree / "usr/lib/tool/again").hardlink_to(tree / "usr/bin/tool")
    (tree / ("usr/share/" + "n" * 120) / ("m" * 120)).write_text("long")
    (tree / "usr/bin/alias").symlink_to("../lib/tool/data")
    (tree / "etc/tool.conf").write_text("left out")
    package = tmp_path / "real.deb"
    build = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "-b"]
    subprocess.run([*build, tree, package], check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "theirs"], check=True)
    unpack(package, place.into)
    ours, theirs = (
        {untimed(line) for line in described(top)} for top in (place.into, tmp_path / "theirs")
    )
    assert theirs - ours == {line for line in theirs if line.startswith("etc")}
    assert ours <= theirs
    assert len(ours) > 10


def untimed(line: str) -> str:
    name, mode, _time, *rest = line.split(" ")
    return " ".join((name, mode, *rest))
