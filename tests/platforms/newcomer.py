"""Does what the README tells a newcomer, on a terminal, and prints what took how long.

Runs inside the system that `run` has installed, with that system's Python and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pty
import pwd
import re
import resource
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ORIGIN = "/srv/quardroot.git"
_CHUNK = 65536
_TIMES = slice(11, 15)
"""Of the words of proc_pid_stat(5) after the name: utime, stime, cutime and cstime."""
_PROMPT = r"root@quard-star:~[#$] "
_COMMANDS = (
    ("cat /run/boot-status", r"^ok$"),
    ("tput -T xterm-256color colors", r"^256$"),
    ("echo $((6 * 7)) of $(uname -m)", r"^42 of riscv64$"),
)
_ASK_SECONDS = 120
_PASSED_ON = re.compile(
    r"PIP_\w+|(https?|no|all)_proxy|SSL_CERT_\w+|(CURL|REQUESTS)_CA_BUNDLE|GIT_SSL_CAINFO", re.I
)
_TOOLS = ("riscv64-linux-gnu-gcc", "qemu-system-riscv64", "bwrap", "make", "python3")


class Failed(Exception):
    """What was expected did not come; the text says what, and what came instead."""


@dataclass
class Terminal:
    """A program on a terminal of its own; what it says is passed on as it comes.

    deadline -- when it must have ended
    text     -- all that it has said
    found    -- how much of the text has been waited for
    """

    pid: int
    screen: int
    deadline: float
    text: str = ""
    found: int = 0

    def wait_for(self, pattern: str, seconds: float | None = None) -> str:
        """Read until what follows the last find matches; return it up to there. Raises Failed."""
        wanted = re.compile(pattern, re.MULTILINE)
        until = self.deadline if seconds is None else min(self.deadline, time.monotonic() + seconds)
        while not (found := wanted.search(self.text, self.found)):
            if not self._read(until):
                raise Failed(f"it ended with status {self._end()} before {pattern!r} came")
        said = self.text[self.found : found.end()]
        self.found = found.end()
        return said

    def wait_for_end(self) -> int:
        """Read until the program ends; return its status, negative for a signal."""
        while self._read(self.deadline):
            pass
        return self._end()

    def cpu_seconds(self) -> float:
        """Return what the program, still running, and all that it has started and ended have used.

        Processes that have lost their parent are children of the first process, which is this one
        (pid_namespaces(7)); bubblewrap does not wait for those of its sandbox.
        """
        peek = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_ALL, 0, peek)) and ended.si_pid != self.pid:
            os.waitpid(ended.si_pid, 0)
        orphans = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        own = sum(map(int, words[_TIMES])) / os.sysconf("SC_CLK_TCK")
        return own + orphans.ru_utime + orphans.ru_stime

    def type(self, line: str) -> None:
        os.write(self.screen, f"{line}\r".encode())

    def _end(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, until: float) -> bool:
        """Take what comes; tell whether more may come. Raises Failed when time is up."""
        ready, _, _ = select.select([self.screen], [], [], max(until - time.monotonic(), 0))
        if not ready:
            raise Failed("time is up")
        try:
            data = os.read(self.screen, _CHUNK)
        except OSError:  # EIO: nobody has the terminal's other side open any more
            return False
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        # Lines of progress and prompts begin at a carriage return alone.
        self.text += data.decode(errors="replace").replace("\r", "\n")
        return bool(data)


def start(argv: list[str], folder: Path, deadline: float) -> Terminal:
    """Start a program on a terminal of 80 columns and 24 lines."""
    pid, screen = pty.fork()
    if pid == 0:
        try:
            termios.tcsetwinsize(0, (24, 80))
            os.chdir(folder)
            os.execvp(argv[0], argv)
        finally:
            os._exit(127)
    return Terminal(pid, screen, deadline)


def become(user: str) -> Path:
    """Become this user, with the environment of a login; return the home folder.

    Of the machine's own environment only what says how it reaches others is passed on.
    """
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    passed = {name: text for name, text in os.environ.items() if _PASSED_ON.fullmatch(name)}
    os.environ.clear()
    os.environ.update(
        passed,
        HOME=entry.pw_dir,
        USER=user,
        LOGNAME=user,
        PATH="/usr/local/bin:/usr/bin:/bin" + (":/usr/sbin:/sbin" if user == "root" else ""),
        LANG="C.UTF-8",
        TERM="xterm-256color",
    )
    return Path(entry.pw_dir)


def clone(home: Path) -> Path:
    """Clone the checkout; return its folder."""
    folder = home / "quardroot"
    subprocess.run(("git", "clone", "--quiet", ORIGIN, str(folder)), check=True)
    return folder


def use(terminal: Terminal, board: str) -> Iterator[tuple[str, float]]:
    """Wait for the prompt, try a few commands, power off; yield what was reached, and when.

    Raises Failed.
    """
    terminal.wait_for(r"bootstrap: ready after")
    yield "host packages and Python are there", time.monotonic()
    terminal.wait_for(rf"{board}: .*\bin [0-9.]+ s(, [0-9.]+ % idle)?$")
    yield f"everything is built, with {terminal.cpu_seconds():.0f} CPU-s", time.monotonic()
    terminal.wait_for(r"^\S+ login: ")
    yield "the login prompt is there", time.monotonic()
    terminal.type("root")
    terminal.wait_for(_PROMPT, _ASK_SECONDS)
    for command, answer in _COMMANDS:
        terminal.type(command)
        said = terminal.wait_for(_PROMPT, _ASK_SECONDS)
        if not re.search(answer, said, re.MULTILINE):
            raise Failed(f"{command!r} did not answer {answer!r}")
    terminal.type("poweroff")
    end = terminal.wait_for_end()
    if end != 0:
        raise Failed(f"./scons run ended with status {end}")
    yield "powered off", time.monotonic()


def tools() -> Iterator[str]:
    """Yield a line for each of these tools that the machine has of its own: its version."""
    for tool in filter(shutil.which, _TOOLS):
        done = subprocess.run((tool, "--version"), capture_output=True, text=True, check=True)
        yield done.stdout.splitlines()[0]


def images(folder: Path) -> Iterator[str]:
    """Yield a line per image: its hash, which differs between releases, and its name."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                yield f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}"


def main() -> int:
    """Do it all; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", required=True)
    parser.add_argument("--board", default="quard-star")
    parser.add_argument("--forward", default="")
    parser.add_argument("--mirror", default="", help="where the pinned tools are fetched from")
    parser.add_argument("--tools", default="", help="the setting [tools] root")
    parser.add_argument("--limit", type=float, required=True)
    chosen = parser.parse_args()
    folder = clone(become(chosen.user))
    command = ["./scons", "run"]
    if chosen.board != "quard-star":
        command.append(f"BOARD={chosen.board}")
    if chosen.forward:
        command.append(f"FORWARD={chosen.forward}")
    if chosen.mirror:
        command.append(f"tools.mirrors={chosen.mirror}")
    if chosen.tools:
        command.append(f"tools.root={chosen.tools}")
    started = time.monotonic()
    reached = []
    try:
        terminal = start(command, folder, started + chosen.limit)
        for what, when in use(terminal, chosen.board):
            reached.append(f"{when - started:7.0f} s  {what}")
    except Failed as failure:
        print(f"\nplatform: {failure}", *reached, sep="\n", flush=True)
        return 1
    print("", *tools(), *images(folder / "out" / chosen.board / "images"), *reached, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
