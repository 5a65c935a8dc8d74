"""Probing whether builds can be sealed on this machine, and which user runs them if not.

The probe runs a command in the same way and with the same arguments as builds do.
"""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from quard.process import bubblewrap, leash
from quard.process.builduser import BuildUser
from quard.process.sandbox import Mode, Sandbox, Work, missing
from quard.process.stop import Stop

_COMMAND = ("/bin/sh", "-c", ":")
_SIGNALLED = 128
"""Added to the number of the signal that ended a command."""
_TRIES = 3
_NOBODY = "nobody"
_USES = 'cd "$1" && : >file && test -x "$2"'


def probe(wanted: str, start: tuple[str, ...] = (), lack: str = "") -> tuple[Mode, str]:
    """Return the mode that works here and, if it is not the sealed one, why.

    wanted -- auto, bwrap or none, as in the settings
    start  -- words that start bubblewrap; none: the machine's own
    lack   -- why there are no such words, if that is known
    Raises QuardError no-sandbox if bubblewrap is required and cannot run, or if it is killed
    repeatedly.
    """
    if wanted == "none":
        return "none", "switched off in the settings"
    start = start or bubblewrap.own()
    why = bubblewrap.explained(_refusal(start)) if start else "bwrap is not installed"
    if lack and not start:
        why += f", and {lack}"
    if not why:
        return "bwrap", ""
    if wanted == "bwrap":
        raise missing(why)
    return "none", why


def unsealed(reason: str, folder: Path, program: str) -> tuple[BuildUser | None, str]:
    """Return the user for unsealed builds, None for our own, and the text of a warning.

    reason -- why builds are not sealed
    """
    folder.mkdir(parents=True, exist_ok=True)
    user, obstacle = build_user(folder, program)
    text = (
        f"builds are not sealed ({reason}): an undeclared dependency on the machine would not be"
        " noticed"
    )
    if obstacle:
        text += f"; they run as root, and can write anywhere on it ({obstacle})"
    return user, text


def build_user(folder: Path, program: str) -> tuple[BuildUser | None, str]:
    """Return the user that runs builds instead of root; None for our own, and why if we are root.

    folder  -- builds work below it
    program -- a program that the user must be able to run
    """
    if os.geteuid() != 0:
        return None, ""
    try:
        entry = pwd.getpwnam(_NOBODY)
    except KeyError:
        return None, f"there is no user {_NOBODY}"
    user = BuildUser(entry.pw_uid, entry.pw_gid)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            user.take_over(Path(place))
            words = (*_COMMAND[:2], _USES, "sh", place, program)
            usable = _run(words, user)[0] == 0
    except OSError as error:
        return None, f"no command can be run as the user {_NOBODY}: {error.strerror}"
    return (user, "") if usable else (None, f"the user {_NOBODY} cannot use {folder} or {program}")


def _refusal(start: tuple[str, ...]) -> str:
    """Return why a build's sandbox cannot be created here; empty if it can."""
    with tempfile.TemporaryDirectory() as folder:
        work = Work(Path(folder) / "work")
        work.make()
        env = {"PATH": os.defpath}
        command = Sandbox(mode="bwrap", work=work, start=start).command(_COMMAND, env)
        for _ in range(_TRIES):
            status, said = _run(command)
            if status == 0:
                return ""
            why = said or f"bwrap ended with status {status}"
            if 0 < status < _SIGNALLED:
                refused = _refused(command, start)
                return f"bwrap refuses {refused}: {why}" if refused else why
    # Perhaps memory is short. That does not show whether commands can be sealed here.
    raise missing(f"bwrap was killed {_TRIES} times: {why}")


def _run(command: Sequence[str], user: BuildUser | None = None) -> tuple[int, str]:
    """Run a command; return its status and its output."""
    env = {"PATH": os.defpath}
    with tempfile.TemporaryFile() as log:
        status = Stop().run(lambda: leash.start(command, env=env, out=log, user=user))
        log.seek(0)
        return status, log.read().decode(errors="replace").strip()


def _refused(command: Sequence[str], start: tuple[str, ...]) -> str:
    """Return the option without which the sandbox can be created; empty if there is none."""
    options = tuple(_options(command[len(start) : -len(_COMMAND) - 1]))
    for name in dict.fromkeys(option[0] for option in options):
        kept: list[str] = []
        gone: set[str] = set()
        for option in options:
            if option[0] == name:
                gone.add(option[-1])
            elif option[0] != "--remount-ro" or option[1] not in gone:
                kept += option
        if _run((*start, *kept, "--", *_COMMAND))[0] == 0:
            return name
    return ""


def _options(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each option with its operands."""
    found: list[str] = []
    for word in words:
        if word.startswith("--") and found:
            yield tuple(found)
            found = []
        found.append(word)
    yield tuple(found)
