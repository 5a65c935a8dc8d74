"""Why a command of a build could not run: the log's message in terms of the recipe.

A build sees only the commands in its tools folder. A command that the recipe does not name is "not
found", whether the sandbox, make, a shell, env(1) or Perl reports it. The messages below are those
of bubblewrap, GNU make, dash, bash, busybox, coreutils and Perl in the C locale, which every build
uses.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from quard.base.record import Record, record
from quard.execute.absent import absent
from quard.execute.musl import REFUSED
from quard.plan.kernelmodule import TREE
from quard.process.sandbox import INSIDE, Work
from quard.process.system import shows

_NAME = rb"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_MISSING = re.compile(
    rb"^(?:"
    rb"bwrap: execvp (?P<bwrap>%(n)s): No such file"
    rb"|make(?:\[\d+\])?: (?P<make>%(n)s): No such file"
    rb"|(?:/usr)?(?:/bin/)?env: .?'?(?P<env>%(n)s)'?.?: No such file"
    rb"|\S+: (?:line )?\d+: (?:exec: )?(?P<shell>%(n)s): (?:command )?not found"
    rb"|(?:/bin/)?(?:ba|da)?sh: (?P<plain>%(n)s): (?:command )?not found"
    rb"|Can't exec \"(?P<perl>%(n)s)\": No such file"
    rb"|.*ERROR: Program '(?P<meson>%(n)s)' not found"
    rb")" % {b"n": _NAME},
    re.MULTILINE,
)
_NO_TREE = re.compile(rb"^tar: .+/%s: Cannot open: No such file" % TREE.encode(), re.MULTILINE)
_LOOKED_FOR = re.compile(
    rb"^checking for (?:an? )?(%(n)s)\.\.\. (?:no|not found|missing)$" % {b"n": _NAME}, re.MULTILINE
)
_GAVE_UP = re.compile(rb"^configure: error: (.*)", re.MULTILINE)
_INTERPRETER = re.compile(rb"#![ \t]*(\S+)")
_NOT_RUN = (126, 127)
"""Exit statuses of env(1) and shells for a command that did not start: sh(1), "Exit Status"."""
_FIRST_LINE = 256


@record
class Diagnosis(Record):
    """What is wrong with a command, for an error block.

    reason  -- slug
    certain -- the command itself could not be started; otherwise something that it called was not
               found, which may be why it failed
    """

    reason: str
    text: str
    hint: str
    certain: bool


def diagnose(
    argv: Sequence[str], status: int, log: bytes, work: Work, search: str, inside: str
) -> Diagnosis | None:
    """Return why a command failed, if the reason is a command or file that the build lacks.

    argv   -- the command
    log    -- its output
    search -- the PATH of the build machine's own commands
    inside -- the root of the fixed paths as commands see it
    """
    started = status not in _NOT_RUN and not log.startswith(b"bwrap: execvp ")
    if not started:
        found = _not_started(argv[0], work, search, inside)
        if found is not None:
            return found
    if found := _without_modules(log) or _without_cxx(log, work):
        return found
    if named := absent(argv, log, work.src):
        return Diagnosis(*named, certain=True)
    names = sorted({name for name in _missing(log) if not _there(work, name)})
    return _undeclared(names, search, certain=False) if names else None


def _without_modules(log: bytes) -> Diagnosis | None:
    """Return that a kernel cannot load modules, if there is nothing to build some with."""
    if not _NO_TREE.search(log):
        return None
    return Diagnosis(
        "kernel-without-modules",
        "the kernel has nothing that modules are built with: its configuration has no"
        " CONFIG_MODULES=y, or its recipe no `modules_finish`",
        "add the module to `packages` of the board, whose kernel then has CONFIG_MODULES=y",
        certain=True,
    )


def _without_cxx(log: bytes, work: Work) -> Diagnosis | None:
    """Return that the compiler for C++ refuses to work, if that is why a command failed."""
    said = REFUSED.encode() in log
    if not said and any(b"C++" in text for text in _GAVE_UP.findall(log)):
        # configure keeps what compilers print to itself.
        found = work.tools.glob("*-g++")
        said = any(REFUSED in path.read_text() for path in found if not path.is_symlink())
    if not said:
        return None
    return Diagnosis(
        "no-cxx-library",
        "it compiles C++, for which the target has no library: the compiler's own libstdc++ is"
        " made for glibc",
        "turn off what needs C++ in the recipe, or build the package for a target with glibc",
        certain=True,
    )


def _missing(log: bytes) -> Iterator[str]:
    """Yield the names of commands that a log reports as not found."""
    for match in _MISSING.finditer(log):
        yield next(name for name in match.groups() if name is not None).decode("ascii")
    wanted = {word.strip(b"'`\".,:;()") for text in _GAVE_UP.findall(log) for word in text.split()}
    yield from (name.decode("ascii") for name in _LOOKED_FOR.findall(log) if name in wanted)


def _there(work: Work, name: str) -> bool:
    """Return whether a command is one of the tools, or of a package for the build machine."""
    folders = (work.tools, work.native / "usr/bin", work.native / "usr/sbin")
    return any((folder / name).is_symlink() or (folder / name).exists() for folder in folders)


def _undeclared(names: Sequence[str], search: str, *, certain: bool) -> Diagnosis:
    absent = [name for name in names if shutil.which(name, path=search) is None]
    text = f"not among the commands of this build: {', '.join(names)}"
    quoted = ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "")
    hint = f"name it in the recipe's `tools`: tools=({quoted})"
    if not certain:
        hint = f"if the build needs a command that it did not find, {hint}"
    if absent:
        text += f"\nnot on the build machine either: {', '.join(absent)}"
        hint = f"install {', '.join(absent)} on the build machine; {hint}"
    return Diagnosis("undeclared-tool", text, hint, certain)


def _not_started(command: str, work: Work, search: str, inside: str) -> Diagnosis | None:
    """Return why the step's own command could not be started."""
    if "/" not in command:
        there = _there(work, command)
        return None if there else _undeclared([command], search, certain=True)
    place = _place(command, work, inside)
    if place is None:
        return None
    if not place.exists():
        return _unusable(f"the source has no {command}", _instead(work, command))
    if place.is_dir():
        return _unusable(f"{command} is a folder", "correct the command's path in the recipe")
    if not place.stat().st_mode & 0o111:
        hint = (
            f'run it with its interpreter, as in Run("sh", "{command}"), or chmod it in `prepare`'
        )
        return _unusable(f"{command} is not executable", hint)
    return _without_interpreter(place, command, inside)


def _without_interpreter(place: Path, command: str, inside: str) -> Diagnosis | None:
    with place.open("rb") as file:
        script = _INTERPRETER.match(file.read(_FIRST_LINE))
    if script is None:
        return None
    interpreter = script.group(1).decode(errors="replace")
    machine = Path(interpreter)
    if machine.exists() and (inside != INSIDE or shows(machine)):
        return None
    name = machine.name
    return _unusable(
        f"{command} is a script for {interpreter}, which the build cannot see",
        f'run it by name, as in Run("{name}", "{command}"), with "{name}" in the recipe\'s `tools`',
    )


def _unusable(text: str, hint: str) -> Diagnosis:
    return Diagnosis("missing-command", text, hint, certain=True)


def _place(command: str, work: Work, inside: str) -> Path | None:
    """Return a command's path outside the sandbox; None for the machine's own commands."""
    if not command.startswith("/"):
        return work.src / command
    if command.startswith(f"{inside}/"):
        return work.root / command[len(inside) + 1 :]
    return None


def _instead(work: Work, command: str) -> str:
    """Return how to build a source without this command."""
    if command == "./configure":
        for name in ("configure.ac", "configure.in"):
            if (work.src / name).exists():
                return f"the source has {name}: set autoreconf=True, which generates ./configure"
        folder = next(work.src.glob("*/configure"), None)
        if folder is not None:
            return f"the source has {folder.relative_to(work.src)}: use Custom and run it"
        for name, style in _STYLES:
            if (work.src / name).exists():
                return f"the source has {name}: use {style}"
    return "correct the recipe's style or the command's path; docs/adding-a-package.md lists both"


_STYLES = (
    ("CMakeLists.txt", "CMake"),
    ("meson.build", "Meson"),
    ("pyproject.toml", "Python"),
    ("setup.py", "Python"),
    ("Kconfig", "Kconfig, or Make"),
    ("Makefile", "Make, or Custom"),
    ("makefile", "Make, or Custom"),
    ("GNUmakefile", "Make, or Custom"),
)
"""File at the top of a source without a configure script -> the recipe's word for it."""
