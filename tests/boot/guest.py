"""A booted system, driven from outside: its console, its forwarded ports, its end.

Nothing here knows pytest. A test that needs several guests at once makes several `Guest`s, each
with a folder of its own.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

import pexpect

BOOT_SECONDS = 240
"""For power-on to login prompt: under emulation, on a machine that is busy with other things."""

COMMAND_SECONDS = 60
END_SECONDS = 60
SHOWN_LINES = 40

FORWARDS = "tcp:0:22,tcp:0:80,tcp:0:5201"
LOGIN = r"login: "
PANIC = "Kernel panic"
LINE_LENGTH = 4096
"""The longest line that a terminal hands to a program, its end included (termios(3))."""

COMMAND_LOOP = (
    "stty -echo; number=0; echo plain-$((40 + 2)); "
    "while IFS= read -r line; do "
    'sh -c "$line" </dev/null 2>&1; '
    'status=$? number=$((number + 1)); printf "\\ndone-%d-status %d\\n" $number $status; '
    "done"
)
"""Runs lines in the guest. `cat | sh` would not do: busybox's cat keeps a line back."""


class ConsoleError(AssertionError):
    """What was waited for did not come; the message ends with the console's last lines."""


@dataclass(frozen=True)
class Result:
    """What a command in the guest left: exit status, and both of its outputs in one."""

    status: int
    output: str


class Guest:
    """One QEMU with one system, from `start` to `close`; usable in a `with` statement.

    script   -- images/run.sh
    folder   -- this guest's own: disk, share and console.log
    settings -- of run.sh, over the ones that keep guests apart
    words    -- arguments before them, where `script` is another one that starts run.sh
    """

    def __init__(
        self,
        script: Path,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        words: tuple[str, ...] = (),
    ) -> None:
        self.words = words
        self.script = script
        self.folder = folder
        self.share = folder / "share"
        self.log = folder / "console.log"
        self.settings = {
            "FORWARD": FORWARDS,
            "SHARE": str(self.share),
            "STATE": str(folder / "state"),
            **(settings or {}),
        }
        self.boot_log = ""
        self._child: pexpect.spawn[str] | None = None
        self._log_file: TextIO | None = None
        self._commands = 0

    def __enter__(self) -> Guest:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> Guest:
        """Run the script on a new terminal."""
        self.share.mkdir(parents=True, exist_ok=True)
        settings = [f"{name}={value}" for name, value in sorted(self.settings.items())]
        self._child = pexpect.spawn(
            str(self.script),
            [*self.words, *settings],
            encoding="utf-8",
            codec_errors="replace",
            timeout=COMMAND_SECONDS,
            dimensions=(24, 200),
        )
        self._log_file = self.log.open("a", encoding="utf-8", newline="")
        self._child.logfile_read = self._log_file
        return self

    def wait_for(self, pattern: str, seconds: float = COMMAND_SECONDS) -> str:
        """Return the console's text up to and with `pattern`.

        Raises ConsoleError when it does not come in time, QEMU ends, or the kernel panics.
        """
        choices = (pattern, PANIC, pexpect.EOF, pexpect.TIMEOUT)
        found = self.child.expect([*choices], timeout=seconds)
        if found == 0:
            return _plain(f"{self.child.before}{self.child.after}")
        if choices[found] == PANIC:
            self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)
        what = ("", "the kernel panicked", "QEMU ended", f"{seconds} s went by")[found]
        raise ConsoleError(self._report(f"{what} before {pattern!r}"))

    def boot(self, seconds: float = BOOT_SECONDS) -> str:
        """Wait for the login prompt; return what the console said until then."""
        self.boot_log = self.wait_for(LOGIN, seconds)
        return self.boot_log

    def log_in(self) -> None:
        """Log in as root at the prompt, and have commands read by a shell that edits no lines.

        An interactive shell repeats what is typed and moves the cursor about. The loop does
        neither, so that the console then carries the commands' output alone.
        """
        self.child.sendline("root")
        if "assword" in self.wait_for(r"[#$] |assword: "):
            raise ConsoleError(self._report("root is asked for a password on the console"))
        self._commands = 0
        self.child.sendline(f"exec sh -c '{COMMAND_LOOP}'")
        self.wait_for(r"plain-42\r*\n")

    def run(self, command: str, seconds: float = COMMAND_SECONDS) -> Result:
        """Run one line of shell commands as root, without input; `log_in` comes first.

        Nothing but files stays from one to the next: each has a shell of its own.
        """
        if "\n" in command or len(command) >= LINE_LENGTH:
            raise ValueError("the console takes one line of less than 4096 characters")
        self._commands += 1
        self.child.sendline(command)
        text = self.wait_for(rf"\ndone-{self._commands}-status \d+\r*\n", seconds)
        output, _, status = text.rstrip().rpartition(f"\ndone-{self._commands}-status ")
        return Result(int(status), output.removesuffix("\n"))

    def check(self, command: str, seconds: float = COMMAND_SECONDS) -> str:
        """Return the output of commands that must succeed."""
        result = self.run(command, seconds)
        if result.status != 0:
            raise ConsoleError(self._report(f"{command!r} gave status {result.status}"))
        return result.output

    def send(self, line: str) -> None:
        """Type one line, whatever reads it."""
        self.child.sendline(line)

    def order(self, command: str) -> None:
        """Type a command that ends the system: poweroff, reboot or halt.

        It returns at once, and what the console then says is the system's own: the shell waits
        for its end in silence, or its words would stand in the middle of a line of init's.
        """
        self.send(f"{command}; exec sleep {END_SECONDS}")

    def port(self, guest_port: int) -> int:
        """Return the host's port that leads to `guest_port`, as run.sh has said."""
        pattern = rf"forward: tcp \S+:(\d+) -> guest port {guest_port}\b"
        found = re.findall(pattern, self.console)
        if not found:
            raise ConsoleError(self._report(f"no host port leads to {guest_port}"))
        return int(found[-1])

    def power_off(self, seconds: float = END_SECONDS) -> tuple[int, str]:
        """Order the power off; return QEMU's exit status and the console's text meanwhile."""
        self.order("poweroff")
        return self.wait_for_end(seconds)

    def wait_for_end(self, seconds: float = END_SECONDS) -> tuple[int, str]:
        """Return QEMU's exit status and the console's text until then.

        Raises ConsoleError when it does not end by itself, or by a signal.
        """
        found = self.child.expect([pexpect.EOF, PANIC, pexpect.TIMEOUT], timeout=seconds)
        if found != 0:
            raise ConsoleError(self._report(f"QEMU did not end within {seconds} s"))
        text = _plain(self.child.before or "")
        self.child.close()
        if self.child.exitstatus is None:
            raise ConsoleError(self._report(f"QEMU ended by signal {self.child.signalstatus}"))
        return self.child.exitstatus, text

    def close(self) -> None:
        """End QEMU, whatever it does: by request, and by force when that does not help."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.isalive() and not child.terminate():
            child.terminate(force=True)
        child.close(force=True)
        if self._log_file is not None:
            self._log_file.close()

    @property
    def child(self) -> pexpect.spawn[str]:
        """The process; its id is QEMU's, since the script's last act is to become QEMU."""
        if self._child is None:
            raise ConsoleError("the guest was not started, or is closed")
        return self._child

    @property
    def console(self) -> str:
        """Everything that the console has said so far, over all boots of this folder."""
        if self._child is not None and self._log_file is not None:
            self._log_file.flush()
        if not self.log.exists():
            return ""
        return _plain(self.log.read_bytes().decode(errors="replace"))

    def last_lines(self) -> str:
        """Return the end of the console's text, for a failure's report."""
        return "\n".join(self.console.splitlines()[-SHOWN_LINES:])

    def _report(self, what: str) -> str:
        return f"{what}\nlast lines of {self.log}:\n{self.last_lines()}"


class Guests:
    """Any number of guests of the same images, each in a folder of its own below `folder`."""

    def __init__(self, script: Path, folder: Path) -> None:
        self.script = script
        self.folder = folder
        self.all: list[Guest] = []

    def start(self, folder: Path | None = None, **settings: str) -> Guest:
        """Start one with run.sh's settings; give an earlier one's `folder` to have its disk."""
        folder = folder or self.folder / f"guest{len(self.all)}"
        guest = Guest(self.script, folder, settings)
        self.all.append(guest)
        return guest.start()

    def close(self) -> None:
        """End those that still run."""
        for guest in self.all:
            guest.close()


@dataclass(frozen=True)
class Ssh:
    """The host's ssh and scp, with nothing of the user's own settings, keys or known hosts."""

    port: int
    key: Path

    @property
    def options(self) -> list[str]:
        """Words that ssh, scp and sftp all take."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "IdentitiesOnly": "yes",
            "IdentityFile": f'"{self.key}"',
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        return ["-F", "none", *(word for pair in options.items() for word in _option(pair))]

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest; `options` are further ones of ssh, and win."""
        return _run(self.argv(command, *options))

    def argv(self, command: str, *options: str) -> list[str]:
        """Return the words that `run` starts."""
        return ["ssh", *options, *self.options, "-p", str(self.port), "root@127.0.0.1", command]

    def copy(self, source: str | Path, destination: str | Path) -> None:
        """Copy a file by scp; `guest:/path` is a path in the guest."""
        places = [
            str(place).replace("guest:", "root@127.0.0.1:") for place in (source, destination)
        ]
        done = _run(["scp", *self.options, "-P", str(self.port), *places])
        assert done.returncode == 0, f"scp gave status {done.returncode}: {done.stderr}"


def _option(pair: tuple[str, str]) -> tuple[str, str]:
    return "-o", "=".join(pair)


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS * 2,
        check=False,
    )


def _plain(text: str) -> str:
    """Two terminals on the way each put a carriage return before a line's end."""
    return text.replace("\r", "")
