"""What is logged arrives and is bounded; the shared folder is a file system on both sides."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from pathlib import Path

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot

LOG = "/var/log/messages"
MIB = 1 << 20
LARGE_MIB = 200
COPY_SECONDS = 600
UNTIL = "polls=0; until {}; do polls=$((polls + 1)); [ $polls -lt 100 ] || exit 1; sleep 0.1; done"


def test_logged_line_arrives_with_its_facility_and_level(guest: Guest) -> None:
    guest.check("logger -t someone -p daemon.warning 'a line, and a \"quote\"'")
    guest.check(UNTIL.format(f"grep -q 'a line, and' {LOG}"))
    line = guest.check(f"grep 'a line, and' {LOG}")
    stamp = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf'{stamp} quard-star daemon\.warn someone: a line, and a "quote"', line), (
        line
    )


def test_kernels_messages_arrive_and_stay_off_the_console(guest: Guest) -> None:
    console = len(guest.console)
    """What a program writes there carries the facility "user", not "kern"."""
    guest.check("echo '<3>quardroot: from the kernel' >/dev/kmsg")
    guest.check(UNTIL.format(f"grep -q 'quardroot: from' {LOG}"))
    assert "quardroot: from" not in guest.console[console:]
    assert re.search(
        r" user\.err kernel: .*quardroot: from the kernel$",
        guest.check(f"grep 'quardroot: from' {LOG}"),
    )
    assert guest.check(f"grep -c 'kernel: .* Linux version' {LOG}") == "1"


def test_log_keeps_one_older_file_and_never_grows_beyond_both(guest: Guest) -> None:
    """200 KB is syslogd's own limit; it looks before it writes, so a line may stand above it."""
    words = "x" * 100
    guest.check(f"seq 1 6000 | sed 's/$/ {words}/' | logger -t filler", COPY_SECONDS)
    guest.check(UNTIL.format(f"tail -n 1 {LOG} | grep -q ': 6000 x'"))
    sizes = guest.check(f"stat -c '%n %s' {LOG}*").splitlines()
    assert [line.split()[0] for line in sizes] == [LOG, f"{LOG}.0"]
    assert all(0 < int(line.split()[1]) <= 201 * 1024 for line in sizes), sizes
    guest.check("logger -t someone afterwards")
    guest.check(UNTIL.format(f"grep -q 'someone: afterwards' {LOG}"))


def test_modes_are_the_same_on_both_sides(guest: Guest) -> None:
    path = guest.share / "modes"
    path.write_text("text", encoding="ascii")
    for mode in (0o600, 0o755, 0o444, 0o640):
        path.chmod(mode)
        assert guest.check("stat -c %a /mnt/modes") == f"{mode:o}"
    for mode in (0o700, 0o4711, 0o664):
        guest.check(f"chmod {mode:o} /mnt/modes")
        assert stat.S_IMODE(path.stat().st_mode) == mode
    guest.check("(umask 027; mkdir /mnt/folder; : >/mnt/folder/file)")
    assert stat.S_IMODE((guest.share / "folder").stat().st_mode) == 0o750
    assert stat.S_IMODE((guest.share / "folder/file").stat().st_mode) == 0o640


def test_unreadable_file_stays_unreadable_to_a_user_of_the_guest(guest: Guest) -> None:
    """The guest's kernel checks, by the numbers of the host's owner."""
    path = guest.share / "secret"
    path.write_text("only mine\n", encoding="ascii")
    path.chmod(0o600)
    result = guest.run("su -s /bin/sh www-data -c 'cat /mnt/secret'")
    assert (result.status != 0, "only mine" in result.output) == (True, False), result
    path.chmod(0o644)
    assert guest.check("su -s /bin/sh www-data -c 'cat /mnt/secret'") == "only mine"


def test_links_are_links_on_both_sides(guest: Guest) -> None:
    (guest.share / "target").write_text("reached\n", encoding="ascii")
    (guest.share / "from-host").symlink_to("target")
    assert guest.check("readlink /mnt/from-host; cat /mnt/from-host") == "target\nreached"
    guest.check("ln -s target /mnt/from-guest && ln /mnt/target /mnt/hard")
    assert os.readlink(guest.share / "from-guest") == "target"
    assert (guest.share / "hard").stat().st_nlink == 2


def test_renaming_and_deleting_are_seen_on_the_other_side(guest: Guest) -> None:
    (guest.share / "tree").mkdir()
    (guest.share / "tree/old").write_text("moved\n", encoding="ascii")
    guest.check("mv /mnt/tree/old /mnt/tree/new && mv /mnt/tree /mnt/tree2")
    assert (guest.share / "tree2/new").read_text(encoding="ascii") == "moved\n"
    assert not (guest.share / "tree").exists()
    (guest.share / "tree2/new").rename(guest.share / "tree2/newer")
    assert guest.check("ls --color=never /mnt/tree2") == "newer"
    guest.check("rm -r /mnt/tree2")
    assert not (guest.share / "tree2").exists()
    (guest.share / "gone").touch()
    (guest.share / "gone").unlink()
    assert guest.run("ls /mnt/gone").status != 0


def test_names_with_blanks_and_other_scripts_are_kept(guest: Guest) -> None:
    name = "two words, übergröße 网络"
    (guest.share / name).write_text("x", encoding="ascii")
    guest.check(f"cp '/mnt/{name}' '/mnt/{name}.back'")
    assert (guest.share / f"{name}.back").read_text(encoding="ascii") == "x"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_file_of_200_megabytes_comes_back_the_same(guest: Guest) -> None:
    sent, back = guest.share / "huge", guest.share / "huge-back"
    block = os.urandom(MIB)
    with sent.open("wb") as file:
        for number in range(LARGE_MIB):
            file.write(number.to_bytes(8, "big") + block[8:])
    started = time.monotonic()
    guest.check("cp /mnt/huge /mnt/huge-back", COPY_SECONDS)
    seconds = time.monotonic() - started
    assert back.stat().st_size == LARGE_MIB * MIB
    assert _digest(back) == _digest(sent)
    print(f"{LARGE_MIB} MiB both ways in {seconds:.1f} s")  # noqa: T201
    guest.check("rm /mnt/huge /mnt/huge-back")
    assert not sent.exists() and not back.exists()
