"""The commands that work in a folder of one package: its shell, its source, its configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from quard.base.errors import QuardError
from quard.base.plain import plain
from quard.face import cli, report
from quard.face.cli import Command
from quard.plan.unit import Unit
from quard.project.build import BoardBuild


def terminal(command: Command) -> str:
    """Return the type of the terminal that this process reads and writes; empty for none.

    Raises QuardError no-terminal for a command that requires one.
    """
    both = sys.stdin.isatty() and sys.stdout.isatty()
    kind = (os.environ.get("TERM", "") or "dumb") if both else ""
    if command.verb == "menuconfig" and kind in ("", "dumb"):
        raise QuardError(
            "menuconfig needs a terminal",
            detail="TERM=dumb" if kind else "standard input and output are not both terminals",
            reason="no-terminal",
            hint="run it on a terminal; or edit the .config that NAME-shell shows, and save it with"
            " NAME-savedefconfig",
        )
    return kind


def descriptions(command: Command, home: Path | None) -> tuple[Path, ...]:
    """Return the folders of the machine that may describe the user's terminal."""
    if not command.opens:
        return ()
    from quard.interactive import terminfo  # noqa: PLC0415 - a null build does without

    return terminfo.folders(os.environ, home)


def told_to(command: Command) -> TextIO:
    """Return the stream for messages to people: separate from an answer for programs."""
    answers = command.verb == "diffconfig" or command.verb in cli.QUESTIONS
    return sys.stderr if answers else sys.stdout


def needs(command: Command, build: BoardBuild) -> tuple[Unit, ...]:
    """Return the packages to build before the work in the folder."""
    if command.verb in ("diffconfig", *cli.EDITS):
        return ()
    return tuple(build.packages[n.unit] for n in build.package(command.names[0]).inputs)


def check(command: Command, build: BoardBuild) -> None:
    """Raise QuardError not-kconfig if the verb does not apply to the package."""
    from quard.interactive import configure  # noqa: PLC0415 - a null build does without

    if command.verb in cli.KCONFIG:
        configure.require(build, command.names[0])


def work(command: Command, build: BoardBuild) -> None:
    """Run the command. Raises QuardError."""
    from quard.interactive import configure, shell  # noqa: PLC0415

    name = command.names[0]
    match command.verb:
        case "menuconfig":
            configure.menuconfig(build, name)
        case "savedefconfig":
            configure.savedefconfig(build, name)
        case "diffconfig":
            found = configure.diffconfig(build, name)
            as_json = report.as_json(configure.as_json(name, found))
            sys.stdout.write(as_json if command.as_json else plain(configure.as_text(found)))
            sys.stdout.flush()
        case "edit":
            from quard.interactive import edit  # noqa: PLC0415

            edit.edit(build, name)
        case "patch":
            from quard.interactive import export  # noqa: PLC0415

            export.export(build, name, command.given.get("TREE", ""))
        case "shell":
            shell.shell(build, name)
        case other:
            raise AssertionError(other)
