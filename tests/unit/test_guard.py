"""What a run leaves for the next one: the lock, and the journal of what it had begun."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import SCons.Node
from waiting import within

from site_tools.quardroot import guard as module
from site_tools.quardroot.guard import Guard, Journal


@dataclass
class Target:
    """A file as SCons sees it, as far as the guard asks."""

    path: Path
    state: int

    def get_abspath(self) -> str:
        return str(self.path)

    def get_state(self) -> int:
        return self.state


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The state of a build that has come to its end."""
    folder = tmp_path / "out"
    (folder / "tiny").mkdir(parents=True)
    for name in ("one", "two"):
        (folder / "tiny" / name).write_text(name)
    sign(folder, b"signatures")
    (folder / "lock").touch()
    return folder


def sign(folder: Path, content: bytes) -> None:
    (folder / "sconsign.dblite").write_bytes(content)
    (folder / "sconsign.sha256").write_text(hashlib.sha256(content).hexdigest())


@pytest.fixture
def guard(out: Path) -> Iterator[Guard]:
    found = Guard(out)
    yield found
    if found.lock >= 0:
        found.release()


def entered(guard: Guard) -> list[str]:
    lines: list[str] = []
    guard.enter(lines.append)
    return lines


# The journal


def test_a_journal_gives_back_what_was_added_in_any_number_of_steps(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.add(["a/one", "b"])
    journal.add([])
    journal.add(["ä", "\udcff"])
    assert Journal(tmp_path / "journal").read() == frozenset(("a/one", "b", "ä", "\udcff"))
    journal.remove()
    assert Journal(tmp_path / "journal").read() == frozenset()
    journal.add(["later"])
    assert Journal(tmp_path / "journal").read() == frozenset(("later",))


def test_a_new_journal_is_not_a_continuation_of_an_old_one(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").add(["x" * 500])
    Journal(tmp_path / "journal").add(["new"])
    assert Journal(tmp_path / "journal").read() == frozenset(("new",))


def test_a_journal_that_was_cut_off_anywhere_or_changed_is_not_relied_on(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).add(["one", "two", "three"])
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert Journal(path).read() is None
        path.write_bytes(whole[:end] + b"~" + whole[end + 1 :])
        assert Journal(path).read() is None


def test_a_journal_of_before_a_crash_of_the_machine_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(tmp_path / "journal").add(["one"])
    (tmp_path / "boot").write_text("another boot\n")
    monkeypatch.setattr(module, "_BOOT", tmp_path / "boot")
    assert Journal(tmp_path / "journal").read() is None


# The next run


def test_what_ended_well_is_left_as_it_is(out: Path, guard: Guard) -> None:
    before = sorted(out.rglob("*"))
    assert entered(guard) == []
    assert not guard.cut_off and guard.signed
    guard.release()
    assert sorted(out.rglob("*")) == before
    assert (out / "lock").read_bytes() == b""


def test_targets_that_a_killed_run_had_begun_are_removed(out: Path, guard: Guard) -> None:
    Journal(out / "journal").add(["tiny/one", "tiny/never-made"])
    (out / "lock").write_text("123\n")
    entered(guard)
    assert guard.cut_off and guard.signed
    assert not (out / "tiny/one").exists() and (out / "tiny/two").exists()
    assert not (out / "journal").exists()


def test_with_a_journal_that_is_not_whole_no_signature_is_trusted(out: Path, guard: Guard) -> None:
    (out / "journal").write_text("tiny/one\n")
    entered(guard)
    assert not (out / "sconsign.dblite").exists()
    assert not (out / "journal").exists()


@pytest.mark.parametrize("content", [b"", b"signature", b"signatures\0"])
def test_a_signature_file_that_is_not_as_it_was_written_is_removed(
    out: Path, guard: Guard, content: bytes
) -> None:
    (out / "sconsign.dblite").write_bytes(content)
    entered(guard)
    assert not (out / "sconsign.dblite").exists()


@pytest.mark.parametrize("content", [b"", b"0" * 64, b"\xff\xfe"])
def test_a_signature_file_without_its_digest_is_removed(
    out: Path, guard: Guard, content: bytes
) -> None:
    (out / "sconsign.sha256").write_bytes(content)
    entered(guard)
    assert not (out / "sconsign.dblite").exists()


@pytest.mark.parametrize("holder", ["", "99999\n", "\0\0\0"])
def test_unfinished_files_go_only_if_the_run_before_was_cut_off(
    out: Path, guard: Guard, holder: str
) -> None:
    unfinished = [out / "programs.json.77.part", out / "tiny/images/.run.sh.part"]
    others = [out / "tiny/work/slow/src/file.part", out / "store/tmp/x.part", out / "tiny/partly"]
    for path in (*unfinished, *others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (out / "lock").write_text(holder)
    entered(guard)
    assert [path.exists() for path in unfinished] == [not holder] * 2
    assert all(path.exists() for path in others)


# The end of a run


def test_what_was_begun_and_not_finished_does_not_stay(out: Path, guard: Guard) -> None:
    """SCons knows it by the signature of an earlier build, whatever it is now."""
    entered(guard)
    failed = Target(out / "tiny/one", SCons.Node.failed)
    guard.started([failed, Target(out / "tiny/none", SCons.Node.executing)])
    guard.release()
    assert not (out / "tiny/one").exists()
    assert not (out / "journal").exists()


def test_what_was_made_stays_once_its_signature_is_written(out: Path, guard: Guard) -> None:
    entered(guard)
    guard.started([Target(out / "tiny/one", SCons.Node.executed)])
    new = out / "sconsign.new"
    new.write_bytes(b"new signatures")
    new.replace(out / "sconsign.dblite")
    guard.release()
    assert (out / "tiny/one").exists()
    assert not (out / "journal").exists()
    assert Guard(out).signed


def test_what_was_made_without_a_signature_stays_in_the_journal(out: Path, guard: Guard) -> None:
    """As on a full disk, where SCons cannot write them."""
    entered(guard)
    guard.started([Target(out / "tiny/one", SCons.Node.executed)])
    guard.release()
    assert Journal(out / "journal").read() == frozenset(("tiny/one",))


def test_a_second_guard_waits_and_tells_so_in_one_line(out: Path, guard: Guard) -> None:
    import fcntl  # noqa: PLC0415
    import os  # noqa: PLC0415
    import threading  # noqa: PLC0415

    holder = os.open(out / "lock", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    os.write(holder, b"4711\n")
    lines: list[str] = []
    thread = threading.Thread(target=lambda: guard.enter(lines.append))
    thread.start()
    assert within(60, lambda: lines) and thread.is_alive()
    os.ftruncate(holder, 0)
    os.close(holder)
    thread.join(10)
    assert lines == ["waiting for another build in this tree (process 4711)"]
    assert not guard.cut_off
