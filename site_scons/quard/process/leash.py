"""Commands that cannot outlive this process, however it ends.

A process that is killed cannot clean up, and what bubblewrap offers for that (--die-with-parent) is
in force too late: its first process inside comes from a clone(2) long before its own
prctl(PR_SET_PDEATHSIG). If the outer process dies in between, the inner one waits without end for
an event that only the outer one could send, and being the init of its namespace it ignores
SIGTERM; or it has been told already, and runs the whole command without a parent. Of 400
bubblewraps that were killed within 12 ms, 148 left one (0.8.0; 0.11 has the same order).

So every command gets a session and a process group of its own. Its leader is a shell with a
watcher beside it that reads a pipe whose other end only this process has: the kernel closes it with
the process, and the watcher kills the group, in one step for all that are in it (kill(2)). A
fork(2) cannot slip through: the child of a process with a fatal signal is in the group, or is
never made. Killing the init of a namespace ends everything inside, in other groups as well.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from quard.process.builduser import BuildUser

NOTHING = Path(os.devnull)
_LEADER = """\
exec {line}<&0
given=$1
shift
(read -r _; kill -s KILL 0) <&{line} &
exec {line}<&-
"$@" <"$given"
status=$?
{{ kill -s KILL $!; wait $!; }} 2>/dev/null
exit $status
"""
"""The watcher goes and is waited for before its leader: who adopts orphans may not collect them."""
_GONE = 2.0
_POLL = 0.01
"""Seconds."""


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    out: IO[bytes],
    errors: IO[bytes] | None = None,
    stdin: Path = NOTHING,
    cwd: Path | str = "/",
    keep: Sequence[int] = (),
    umask: int = -1,
    user: BuildUser | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command, an absolute path and its arguments, and return the leader of its group.

    The leader ends with the command's status, or with 128 and the signal that ended it, or with
    127 and a message where the command cannot be started. Its shell may add variables of its own
    to the environment.

    errors -- where standard error goes, if not to `out`
    keep   -- descriptors that the command inherits under their numbers
    user   -- who runs it, if not who runs us
    """
    free = next(number for number in range(3, 10) if number not in keep)
    return subprocess.Popen(
        ("/bin/sh", "-c", _LEADER.format(line=free), "leash", str(stdin), *argv),
        stdin=_line(),
        stdout=out,
        stderr=errors or out,
        env=dict(env),
        cwd=cwd,
        pass_fds=tuple(keep),
        start_new_session=True,
        umask=umask,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=() if user else None,
    )


@functools.cache
def _line() -> int:
    """Return the reading end of a pipe that ends with this process."""
    read, _write = os.pipe()
    return read


def wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended. It stays a zombie: until then its number is nobody else's."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not been collected, with all that it started and that is still there.

    What `start` did not start has the terminal, and so a group together with this process: only
    it and its children are killed then.
    """
    if leads(process):
        os.killpg(process.pid, signal.SIGKILL)
        return
    # Stopped first, so that it makes no more children; its death would not be theirs, see above.
    os.kill(process.pid, signal.SIGSTOP)
    deadline = time.monotonic() + _GONE
    while _state(process.pid) not in "TZX" and time.monotonic() < deadline:
        time.sleep(_POLL)
    for child in _children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)


def leads(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a process that has not been collected leads a group of its own."""
    return os.getpgid(process.pid) == process.pid


def vanish(group: int) -> None:
    """Wait until of a killed group no member is alive; not for long, as a disk may hold one up."""
    deadline = time.monotonic() + _GONE
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _alive(group: int) -> bool:
    """Return whether a process group has members. Zombies are none: whose they are may be slow."""
    stats = (_stat(int(name)) for name in os.listdir("/proc") if name.isdecimal())
    return any(stat[2] == str(group) and stat[0] not in "ZX" for stat in stats if stat)


def _state(pid: int) -> str:
    stat = _stat(pid)
    return stat[0] if stat else "X"


def _stat(pid: int) -> list[str]:
    """Return the fields after a process's name, proc_pid_stat(5); none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    """Return the children of a process's first thread, proc_pid_task(5)."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in found.split()]
