"""What our patches and our configuration of busybox and the kernel have to leave as it was."""

from __future__ import annotations

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot

BUFFER = 1024
"""Bytes of a script that ash reads at a time."""


def commented_script() -> tuple[str, str]:
    """Return a script whose comments end at every place of a buffer, and what it prints."""
    text, said = "", ""
    for length in range(BUFFER + 2):
        text += f'#{"x" * length}\necho {length} # it\'s "quoted" $(false\n'
        said += f"{length}\n"
    text += "# no line goes on here \\\necho 'a # is text' b#c # not text\n"
    text += "eval 'echo d # e\necho f'\ncat <<END\n# text\nEND\n# the end, without a newline"
    return text, said + "a # is text b#c\nd\nf\n# text\n"


@pytest.mark.parametrize("start", ["sh /mnt/script", "sh </mnt/script", "sh -c '. /mnt/script'"])
def test_comments_of_any_length_end_with_their_line(guest: Guest, start: str) -> None:
    script, said = commented_script()
    (guest.share / "script").write_text(script, encoding="ascii")
    guest.check(f"{start} >/mnt/said 2>&1")
    assert (guest.share / "said").read_text(encoding="ascii") == said


def words_of(guest: Guest, script: str) -> list[str]:
    """Return the words that a script says, which must end by itself and without an error."""
    (guest.share / "script").write_text(script, encoding="ascii")
    return guest.check("timeout 20 busybox sh /mnt/script").split()


def test_read_works_after_a_signal_whose_trap_has_run(guest: Guest) -> None:
    script = (
        "trap 'echo caught' INT\n"
        "kill -INT $$\n"
        "while read -r line; do echo $line; done <<END\none\ntwo\nEND\n"
        "read -r seconds _ </proc/uptime && echo read\n"
    )
    assert words_of(guest, script) == ["caught", "one", "two", "read"]


def test_a_signal_ends_a_read_that_waits_once_its_trap_has_run(guest: Guest) -> None:
    script = (
        "trap 'echo caught' INT\n"
        "mkfifo /tmp/nothing || exit; exec 3<>/tmp/nothing; rm /tmp/nothing\n"
        "for turn in 1 2; do\n"
        "    (sleep 0.2; kill -INT $$) &\n"
        "    read -r line <&3; echo $?\n"
        "done\n"
    )
    assert words_of(guest, script) == ["caught", "1", "caught", "1"]


def ifup(guest: Guest, *commands: str) -> tuple[int, str]:
    """Bring up an interface that consists of these commands; return status and output."""
    lines = ["iface probe inet manual", *(f"\tup {command}" for command in commands)]
    (guest.share / "interfaces").write_text("\n".join(lines) + "\n", encoding="ascii")
    done = guest.run("ifup -f -i /mnt/interfaces probe")
    guest.run("ifdown -f -i /mnt/interfaces probe")
    return done.status, done.output


def test_ifup_runs_programs_and_what_only_a_shell_can_run(guest: Guest) -> None:
    status, output = ifup(
        guest,
        "  printf   %s-  plain words",
        'echo "by  a shell" | tr a A',
        "echo $IFACE ~root",
        ":",
        "exit 0",
        "type ifup",
        "env",
    )
    assert status == 0, output
    lines = output.splitlines()
    assert lines[:3] == ["plain-words-by  A shell", "probe /root", "ifup is /sbin/ifup"]
    assert {"IFACE=probe", "MODE=start", "METHOD=manual"} <= set(lines)


@pytest.mark.parametrize(
    ("command", "said"),
    [("false", ""), ("exit 3", ""), ("/no/such/program", "/no/such/program: ")],
)
def test_command_of_ifup_that_fails_is_a_failure(guest: Guest, command: str, said: str) -> None:
    status, output = ifup(guest, command)
    assert status != 0
    assert said in output


@pytest.mark.parametrize(
    ("device", "rights"),
    [
        ("null", "root:root 666"),
        ("vda", "root:disk 660"),
        ("ttyS0", "root:dialout 660"),
        ("tty1", "root:tty 620"),
        ("net/tun", "root:root 666"),
        ("rtc0", "root:root 644"),
        ("kmsg", "root:root 600"),
    ],
)
def test_devices_that_were_there_before_mdev_have_their_rights(
    guest: Guest, device: str, rights: str
) -> None:
    assert guest.check(f"stat -c '%U:%G %a' /dev/{device}") == rights


def test_every_device_of_the_kernel_has_its_file(guest: Guest) -> None:
    guest.check("cat /sys/dev/*/*/uevent >/mnt/devices; find /dev >/mnt/files")
    names = [
        line.removeprefix("DEVNAME=")
        for line in (guest.share / "devices").read_text(encoding="ascii").splitlines()
        if line.startswith("DEVNAME=")
    ]
    files = set((guest.share / "files").read_text(encoding="ascii").splitlines())
    assert len(names) > 20
    assert {f"/dev/{name}" for name in names} <= files


def test_only_one_virtual_terminal_is_there_for_the_kernel(guest: Guest) -> None:
    assert guest.check("cd /dev && echo tty*") == "tty tty0 tty1 ttyS0"
