"""quard.tools.update, mirror and fetching: lock files from a real archive on a local server."""

from __future__ import annotations

import hashlib
import lzma
import os
import platform
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from debian_archive import Debian
from faulty_server import Reply, Server
from tool_parts import locked

from quard.base.errors import QuardError
from quard.parts import elf
from quard.process.stop import Stop
from quard.sources import mirrors
from quard.sources.attempt import Limits
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations
from quard.tools import lockfile, signature
from quard.tools.fetching import Packages
from quard.tools.mirror import Mirror
from quard.tools.names import load
from quard.tools.place import FILE
from quard.tools.report import Report
from quard.tools.roots import Roots
from quard.tools.update import recorded, update

QUICK = Limits(connect=0.5, read=2, attempts=2, pause=0.01, longest=0.05)
NAMES = """\
release = "one"
common = ["bash"]
build = []
further = []
python = []
menuconfig = []
terminals = []
machine = ["mke2fs"]
emulators = []
debug = []
launchers = []
"""
KEYLESS: tuple[Path, ...] = ()
BASH = locked("bash")
OBJECT = b"\x7fELF" + bytes(12) + b"\1" + bytes(40)
"""What begins as a file for the linker does; nothing loads it."""
needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")),
    reason="this machine has no gpg or no gpgv to make and check a signature",
)


@dataclass
class Site:
    """A project, a cache and an archive."""

    project: Path
    cache: Path
    debian: Debian
    notes: list[str] = field(default_factory=list)

    def start(self, package: str, file: str, total: int | None, done: int) -> Site:
        self.notes.append(f"{package} {file} {total} {done}")
        return self

    def advance(self, count: int) -> None:
        """Forget it."""

    def close(self) -> None:
        """Forget it."""

    def note(self, line: str) -> None:
        self.notes.append(line)

    def fetcher(self, *bases: str, offline: bool = False) -> Fetcher:
        where = Locations(offline=offline, debian=bases)
        return Fetcher(self.cache, where, self, limits=QUICK)

    def mirror(
        self,
        *bases: str,
        offline: bool = False,
        keyrings: tuple[Path, ...] = KEYLESS,
    ) -> Mirror:
        fetcher = self.fetcher(*(bases or (self.debian.base,)), offline=offline)
        since = recorded(self.project, load(self.project))
        return Mirror("one", fetcher, self, since=since, keyrings=keyrings)

    def update(self, mirror: Mirror | None = None, *, dry: bool = False) -> list[str]:
        found: Report = update(self.project, load(self.project), mirror or self.mirror(), dry=dry)
        return list(found.lines("1.2", dry=dry))

    def refused(self, mirror: Mirror | None = None) -> QuardError:
        """Return the error of an update, which writes nothing."""
        before = self.texts()
        with pytest.raises(QuardError) as caught:
            self.update(mirror)
        assert self.texts() == before
        return caught.value

    def texts(self) -> dict[str, str]:
        folder = self.project / "configs/tools"
        return {path.name: path.read_text() for path in sorted(folder.glob("*.json*"))}


@pytest.fixture
def site(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An archive with three packages, whose mirror only the settings know."""
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    monkeypatch.setattr(mirrors, "_targets", str)
    project = tmp_path / "project"
    (project / FILE).parent.mkdir(parents=True)
    (project / FILE).write_text(NAMES)
    debian = Debian(server)
    debian.add("libc6", "usr/lib/libc.so")
    debian.add("bash", "bin/bash", "usr/bin/bashbug", "usr/sbin/x", "usr/games/y", Depends="libc6")
    debian.add("mke2fs", "sbin/mke2fs", "usr/share/doc/mke2fs/README", Depends="libc6")
    debian.publish()
    return Site(project, tmp_path / "cache", debian)


def test_the_first_update_writes_a_lock_for_each_machine(site: Site) -> None:
    lines = site.update()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"wrote configs/tools/one-{machine}.json: one 1.2 of 2020-02-01T09:15:44Z, 3 packages,"
        f" {lines[0].split(', ')[2]}"
        for machine in ("amd64", "arm64")
    ]
    for machine in ("amd64", "arm64"):
        lock = lockfile.load(site.project, load(site.project), machine)
        assert sorted(lock.packages) == ["bash", "libc6", "mke2fs"]
        bash = lock.packages["bash"]
        assert (bash.needs, bash.source) == (("libc6",), "bash 1")
        assert bash.commands == ("bash", "bashbug", "x")
        assert lock.owners["mke2fs"] == "mke2fs"


def test_a_second_update_downloads_no_package_and_writes_nothing(site: Site) -> None:
    site.update()
    before = {path: path.stat().st_mtime_ns for path in site.project.rglob("*.json")}
    asked = len(site.debian.server.requests)
    assert site.update() == ["nothing new: the lock files have the packages of one 1.2"]
    assert {path: path.stat().st_mtime_ns for path in site.project.rglob("*.json")} == before
    assert [path for path, _ in site.debian.server.requests[asked:]] == [
        "/debian/dists/one/InRelease"
    ]


def test_an_update_with_another_cache_writes_the_same_bytes(site: Site, tmp_path: Path) -> None:
    site.update()
    first = site.texts()
    for path in site.project.rglob("*.json"):
        path.unlink()
    site.cache = tmp_path / "other"
    site.update()
    assert site.texts() == first


def test_an_update_says_what_changed(site: Site) -> None:
    site.update()
    site.debian.add("bash", "bin/bash", version="2", Depends="libc6, new")
    site.debian.add("new", "bin/new")
    site.debian.add("libc6", "usr/lib/libc.so", "usr/lib/more.so")
    site.debian.add("mke2fs", "sbin/mke2fs", version="3")
    site.debian.publish()
    would = site.update(dry=True)
    assert would[0].startswith("would write configs/tools/one-amd64.json")
    assert "bash_1.deb" in site.texts()["one-amd64.json"]
    lines = site.update()
    assert [line.replace("wrote", "would write") for line in lines] == would
    assert lines[1:5] == [
        "  bash 1 -> 2",
        "  libc6 1: other size, sha256",
        "  mke2fs 1 -> 3",
        "  added new 1",
    ]
    site.debian.add("bash", "bin/bash", version="3")
    site.debian.publish()
    assert "  removed new 1" in site.update()


def test_a_lock_that_was_damaged_or_edited_is_written_again(site: Site) -> None:
    site.update()
    right = site.texts()
    place = site.project / "configs/tools/one-arm64.json"
    for text in ("{", right["one-arm64.json"] + "\n", right["one-arm64.json"].replace('"x"', "")):
        place.write_text(text)
        assert any("wrote configs/tools/one-arm64.json" in line for line in site.update())
        assert site.texts() == right


@pytest.mark.parametrize("machine", ["amd64", "arm64"])
def test_if_one_lock_cannot_be_written_none_is(
    site: Site, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # the temporary file has a known name
    blocked = site.project / f"configs/tools/one-{machine}.json.{bytes(6).hex()}.part"
    blocked.mkdir()
    with pytest.raises(IsADirectoryError):
        site.update()
    assert sorted(path.name for path in blocked.parent.iterdir()) == ["names.toml", blocked.name]


def test_a_path_that_two_packages_have_is_noted(site: Site) -> None:
    site.debian.add("mke2fs", "sbin/mke2fs", "bin/bash", Depends="libc6")
    site.debian.publish()
    assert site.update()[-1] == "note: usr/bin/bash is in bash and in mke2fs"


def test_a_library_that_a_program_loads_and_nothing_has_is_an_error(site: Site) -> None:
    """Another kind of machine than this one has no such program: its lock is right."""
    program = Path("/bin/true")
    needed = elf.read(program).needed
    assert needed
    here = lockfile.machine(platform.machine())
    programs = {"bin/bash": program.read_bytes(), "usr/share/x.o": OBJECT}
    site.debian.add("bash", programs=programs, Depends="libc6")
    site.debian.publish()
    error = site.refused()
    assert error.reason == "tools-unresolved"
    assert error.detail.splitlines() == [
        f"usr/bin/bash of bash loads {library} (bash, {here})" for library in sorted(needed)
    ]
    assert "`omit`" in error.hint
    site.debian.add("libc6", *(f"lib/{library}" for library in needed))
    site.debian.publish()
    assert site.update()


def test_a_malformed_program_is_one_error(site: Site) -> None:
    site.debian.add("bash", programs={"bin/bash": b"\x7fELF" + bytes(12) + b"\2" + bytes(40)})
    site.debian.publish()
    error = site.refused()
    assert error.reason == "bad-deb"
    assert "usr/bin/bash: a malformed ELF file" in error.detail


def test_a_file_that_is_gone_is_an_error_that_names_the_setting(site: Site) -> None:
    site.debian.server.serve(site.debian.place("bash"), Reply(status=404))
    error = site.refused()
    assert error.reason == "tools-unavailable"
    assert error.message == "could not download the pinned tool bash 1"
    assert "404" in error.detail
    assert "until a newer version replaces it" in error.hint
    assert "[tools] mirrors" in error.hint


def test_a_file_that_the_first_mirror_has_lost_comes_from_the_next(site: Site) -> None:
    assert site.update(site.mirror(site.debian.server.base + "/lost/", site.debian.base))
    assert "/lost/pool/main/bash_1.deb" in [path for path, _ in site.debian.server.requests]


def test_a_package_with_other_bytes_is_an_error(site: Site) -> None:
    whole = site.debian.debs["bash"]
    site.debian.server.serve(site.debian.place("bash"), Reply(b"x" * len(whole)))
    error = site.refused()
    assert error.reason == "hash-mismatch"
    assert "bash 1 does not match the lock" in error.message
    assert "recipe" not in error.block()


def test_a_package_that_is_damaged_although_its_hash_is_right_is_an_error(site: Site) -> None:
    site.debian.debs["bash"] = b"!<arch>\nnothing"
    site.debian.publish()
    error = site.refused()
    assert error.reason == "bad-deb"


@pytest.mark.parametrize("by_hash", [True, False])
def test_an_index_with_other_bytes_is_an_error(site: Site, *, by_hash: bool) -> None:
    site.debian.by_hash = by_hash
    site.debian.publish(amd64=lzma.compress(b"Package: evil\n"))
    error = site.refused()
    assert error.reason == "hash-mismatch"
    assert error.message == "the index of one for amd64 does not match the release's signed list"
    assert "recipe" not in error.block()


def test_an_index_that_is_gone_is_an_error(site: Site) -> None:
    for path in list(site.debian.server.replies):
        if "binary-arm64" in path:
            site.debian.server.serve(path, Reply(status=404))
    error = site.refused()
    assert error.reason == "tools-unavailable"
    assert error.message == "could not download the index of one for arm64"


def test_an_index_without_hash_in_its_path_is_used_too(site: Site) -> None:
    site.debian.by_hash = False
    site.debian.server.replies.clear()
    site.debian.publish()
    assert site.update()


def test_a_mirror_of_another_release_is_an_error(site: Site) -> None:
    site.debian.codename = "two"
    site.debian.publish()
    error = site.refused()
    assert error.reason == "bad-tools-index"
    assert "it is the list of two" in error.detail


def test_a_page_in_place_of_the_release_is_passed_over(site: Site) -> None:
    portal = site.debian.server.serve(
        "/portal/dists/one/InRelease", Reply(b"<html><title>Log in</title></html>")
    )
    base = portal.removesuffix("/dists/one/InRelease")
    assert "'Log in'" in site.refused(site.mirror(base)).detail
    assert site.update(site.mirror(base, site.debian.base))


@pytest.mark.parametrize("content", [b"hello", b"\xff\xfe", b""])
def test_what_is_no_signed_list_is_an_error(site: Site, content: bytes) -> None:
    site.debian.server.serve("/debian/dists/one/InRelease", Reply(content))
    assert site.refused().reason == "bad-tools-index"


def test_without_any_mirror_the_error_names_the_setting(site: Site) -> None:
    error = site.refused(Mirror("one", site.fetcher(), site))
    assert error.reason == "tools-unavailable"
    assert "apt has no index" in error.detail
    assert "[tools] mirrors" in error.hint


def test_offline_nothing_is_asked(site: Site) -> None:
    error = site.refused(site.mirror(offline=True))
    assert error.reason == "tools-unavailable"
    assert "not tried: offline" in error.detail
    assert site.debian.server.requests == []


def test_offline_an_archive_in_a_folder_is_enough(site: Site, tmp_path: Path) -> None:
    for path, replies in site.debian.server.replies.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_bytes(replies[0].body)
    base = (tmp_path / "debian").as_uri()
    assert site.update(site.mirror(base, offline=True))
    assert site.debian.server.requests == []


def test_a_locked_package_in_the_cache_is_available_offline(site: Site) -> None:
    site.update()
    bash = lockfile.read(site.project, "one", "amd64").packages["bash"]
    asked = len(site.debian.server.requests)
    found = Packages(site.fetcher(offline=True)).fetch(bash)
    assert found.read_bytes() == site.debian.debs["bash"]
    assert len(site.debian.server.requests) == asked
    found.unlink()
    with pytest.raises(QuardError, match="could not download the pinned tool bash 1") as caught:
        Packages(site.fetcher(site.debian.base, offline=True)).fetch(bash)
    assert "offline" in caught.value.detail
    assert caught.value.hint.startswith("connect this machine")


def test_where_no_archive_is_known_the_error_asks_for_one(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QuardError, match="mirrors names no Debian archive") as caught:
        Packages(site.fetcher()).fetch(BASH)
    assert caught.value.reason == "tools-unavailable"
    assert "tools.mirrors=ADDRESS" in caught.value.hint
    with pytest.raises(QuardError, match="pinned tool bash 1"):
        Packages(site.fetcher(offline=True)).fetch(BASH)


def test_a_cache_that_cannot_be_written_is_one_error(site: Site) -> None:
    site.cache.write_text("a file")
    packages = Packages(site.fetcher(site.debian.base))
    with pytest.raises(QuardError, match="cannot store the pinned tool bash") as caught:
        packages.fetch(BASH)
    assert caught.value.reason == "cache-unusable"


def test_half_a_download_is_resumed(site: Site) -> None:
    whole = site.debian.debs["bash"]
    half = len(whole) // 2
    place = site.debian.place("bash")
    tag = f'"{len(whole)}"'
    broken = Reply(whole, etag=tag, break_at=half)
    site.debian.server.serve(place, broken, Reply(status=404))
    assert site.refused().reason == "tools-unavailable"
    assert (
        site.cache / hashlib.sha256(whole).hexdigest() / "bash_1.deb.part"
    ).stat().st_size == half
    site.debian.server.serve(place, Reply(whole, etag=tag))
    asked = len(site.debian.server.requests)
    site.update()
    ranges = [
        headers.get("range")
        for path, headers in site.debian.server.requests[asked:]
        if path == place
    ]
    assert ranges == [f"bytes={half}-"]


def test_without_gpgv_the_signature_is_not_checked_and_one_line_says_so(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    keyring = tmp_path / "keyring.gpg"
    keyring.write_bytes(b"")
    site.update(site.mirror(keyrings=(keyring,)))
    said = [line for line in site.notes if "signature" in line]
    assert len(said) == 1
    assert "signature not checked: this machine has no gpgv and no sqv" in said[0]


@needs_gpg
def test_without_a_keyring_the_signature_is_not_checked(site: Site, tmp_path: Path) -> None:
    site.update(site.mirror(keyrings=(tmp_path / "none.gpg",)))
    assert any("this machine has no keyring of Debian" in line for line in site.notes)


def test_dashes_of_the_signed_form_are_undone(tmp_path: Path) -> None:
    file = tmp_path / "InRelease"
    file.write_text(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -a\nb\n"
        "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
    )
    assert signature.read(file, "here", KEYLESS).text == "-a\nb"


def dates(site: Site) -> set[str]:
    names = load(site.project)
    return {lockfile.load(site.project, names, each).dated for each in ("amd64", "arm64")}


def test_an_older_index_than_the_locks_is_refused(site: Site) -> None:
    """It may be one with a signature that was right at its time, sent again by a mirror."""
    site.debian.date = "Sun, 02 Feb 2020 00:00:00 UTC"
    site.debian.publish()
    site.update()
    site.debian.add("bash", "bin/bash", version="0.9", Depends="libc6")
    site.debian.date = "Sat, 01 Feb 2020 23:59:59 UTC"
    site.debian.publish()
    error = site.refused()
    assert error.reason == "old-tools-index"
    assert "2020-02-01T23:59:59Z" in error.detail and "2020-02-02T00:00:00Z" in error.detail
    assert site.debian.base in error.detail
    for path in site.project.rglob("*.json"):
        path.unlink()
    site.update()
    assert dates(site) == {"2020-02-01T23:59:59Z"}


def test_an_older_index_is_refused_even_if_one_lock_is_damaged(site: Site) -> None:
    site.update()
    (site.project / lockfile.name("one", "amd64")).write_text("{")
    site.debian.date = "Fri, 31 Jan 2020 00:00:00 UTC"
    site.debian.publish()
    assert site.refused().reason == "old-tools-index"


def test_a_mirror_that_lags_behind_is_passed_over(site: Site) -> None:
    site.update()
    old = Debian(site.debian.server, date="Fri, 31 Jan 2020 00:00:00 UTC", folder="old")
    old.debs, old.fields = site.debian.debs, site.debian.fields
    old.publish()
    assert site.update(site.mirror(old.base, site.debian.base))[0].startswith("nothing new")


def test_a_newer_index_of_the_same_packages_changes_the_date_alone(site: Site) -> None:
    site.update()
    before = site.texts()
    site.debian.date = "Mon, 03 Feb 2020 09:15:44 +0200"
    site.debian.publish()
    asked = len(site.debian.server.requests)
    would = site.update(dry=True)
    assert site.texts() == before
    lines = site.update()
    assert [line.replace("wrote", "would write") for line in lines] == would
    assert lines[0].startswith(
        "wrote configs/tools/one-amd64.json: one 1.2 of 2020-02-03T07:15:44Z"
    )
    assert lines[1] == "  the same packages" and len(lines) == 4
    assert not [path for path, _ in site.debian.server.requests[asked:] if path.endswith(".deb")]
    old, new = "2020-02-01T09:15:44Z", "2020-02-03T07:15:44Z"
    assert site.texts() == {name: text.replace(old, new) for name, text in before.items()}


@pytest.mark.parametrize("packages", ["the same", "others"])
def test_a_lock_without_a_date_gets_one(site: Site, packages: str) -> None:
    site.update()
    right = site.texts()
    for path in site.project.rglob("*.json"):
        path.write_text(path.read_text().replace('"dated":"2020-02-01T09:15:44Z",', ""))
        if packages == "others":
            path.write_text(path.read_text().replace("bashbug", "bashgub"))
    assert site.update()
    assert site.texts() == right


def test_the_date_of_a_lock_is_in_no_key(site: Site) -> None:
    site.update()
    before = lockfile.read(site.project, "one", "amd64")
    site.debian.date = "Mon, 03 Feb 2020 09:15:44 UTC"
    site.debian.publish()
    site.update()
    after = lockfile.read(site.project, "one", "amd64")
    assert before.dated != after.dated
    roots = Roots(site.cache, site.mirror().fetch, print, Stop())
    digests = {roots.digest(lock.closure(lock.packages), {}) for lock in (before, after)}
    assert len(digests) == 1


INVALID = {
    "expired": ("", "Sat, 08 Feb 2020 09:15:44 UTC", "valid until 2020-02-08T09:15:44Z"),
    "from the future": ("Fri, 01 Feb 2999 09:15:44 UTC", "", "in the future"),
}


@pytest.mark.parametrize("kind", INVALID)
def test_an_index_that_is_not_valid_now_is_refused(site: Site, kind: str) -> None:
    date, until, said = INVALID[kind]
    site.debian.date = date or site.debian.date
    site.debian.until = until
    site.debian.publish()
    error = site.refused()
    assert (error.reason, said in error.detail) == ("old-tools-index", True)
    assert "clock" in error.hint


def test_an_index_that_is_still_valid_is_used(site: Site) -> None:
    site.debian.until = "Fri, 08 Feb 2999 09:15:44 UTC"
    site.debian.publish()
    assert site.update()


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_an_index_without_a_date_is_an_error(site: Site, date: str) -> None:
    site.debian.date = date
    site.debian.publish()
    error = site.refused()
    assert (error.reason, "no date" in error.detail) == ("bad-tools-index", True)


def test_a_name_that_the_release_lacks_is_one_error(site: Site) -> None:
    path = site.project / FILE
    path.write_text(path.read_text().replace('"bash"', '"bahs"'))
    error = site.refused()
    assert error.reason == "unknown-tool-package"
    assert "'bash'" in error.hint


def test_a_damaged_index_is_one_error(site: Site) -> None:
    site.debian.fields["bash"]["Depends"] = "libc6 (>> )"
    site.debian.publish()
    error = site.refused()
    assert error.reason == "bad-tools-index"
    assert "libc6 (>> )" in error.detail
