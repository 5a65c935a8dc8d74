"""The process-group watchdog: commands cannot outlive this process, however it ends.

A killed process cannot clean up, and bubblewrap's option for that (--die-with-parent) takes effect
too late: its first process inside is created by clone(2) long before its
prctl(PR_SET_PDEATHSIG). If the outer process dies in between, the inner one waits forever for an
event that only the outer one could send, and as the init of its namespace it ignores SIGTERM; or
it has already had the event, and runs the whole command without a parent. Of 400 bubblewraps
killed within 12 ms, 148 left such a process (0.8.0; 0.11 has the same order).

So every command gets its own session and process group. The group's leader is a shell with a
watchdog process, which reads a pipe whose other end only this process has. The kernel closes that
end when this process ends, and the watchdog kills all members of the group in one step (kill(2)).
A fork(2) cannot escape: the child of a process with a fatal signal is in the group, or is never
created. Killing the init of a namespace ends everything inside, in other groups as well.
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

from quard.process.starting import not_suspended

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
"""The watchdog ends and is reaped before its leader: the adopter of orphans may not reap them."""
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

    The leader ends with the command's status, or with 128 plus the signal that ended it, or with
    127 and a message if the command cannot be started. The shell may add its own variables to the
    environment.

    errors -- where standard error goes, if not to `out`
    keep   -- descriptors that the command inherits with the same numbers
    user   -- the user that runs it, if not ours
    """
    free = next(number for number in range(3, 10) if number not in keep)
    with not_suspended():
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
    """Return the reading end of a pipe that is closed when this process ends."""
    read, _write = os.pipe()
    return read


def wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended. It stays a zombie, so that its id is not reused yet."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not been reaped, with all running processes that it started.

    A process not started by `start` has the terminal, and so shares this process's group: only it
    and its children are killed then.
    """
    if leads(process):
        os.killpg(process.pid, signal.SIGKILL)
        return
    # Stopped first, so that it creates no more children; they would outlive it, see above.
    os.kill(process.pid, signal.SIGSTOP)
    deadline = time.monotonic() + _GONE
    while _state(process.pid) not in "TZX" and time.monotonic() < deadline:
        time.sleep(_POLL)
    for child in _children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)


def leads(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a process that has not been reaped leads its own group."""
    return os.getpgid(process.pid) == process.pid


def vanish(group: int) -> None:
    """Wait, but not for long, until a killed group has no live member; a disk may delay one."""
    deadline = time.monotonic() + _GONE
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _alive(group: int) -> bool:
    """Return whether a process group has live members. Zombies may be reaped late: not counted."""
    stats = (_stat(int(name)) for name in os.listdir("/proc") if name.isdecimal())
    return any(stat[2] == str(group) and stat[0] not in "ZX" for stat in stats if stat)


def _state(pid: int) -> str:
    stat = _stat(pid)
    return stat[0] if stat else "X"


def _stat(pid: int) -> list[str]:
    """Return the fields after a process's name, proc_pid_stat(5); none if it has ended."""
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
