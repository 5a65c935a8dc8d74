"""Compiler launchers: what sealed builds start the compiler through.

A launcher is no input of a result: what it gives must be what the compiler itself would have made.
Builds see its program in a folder of its own, not among the tools that are in their keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from quard.base import canonical
from quard.base.record import Record, record
from quard.plan.plan import Plan
from quard.process.sandbox import INSIDE, Bound, Work
from quard.process.sockets import NAME
from quard.process.system import System

_PROGRAM = "launcher"
_CACHE = "compiled"
_STORAGE = "storage"
"""Folders as builds see them, below INSIDE."""


class Launcher(Protocol):
    """Starts the compiler of sealed builds.

    words -- start it
    """

    @property
    def words(self) -> tuple[str, ...]: ...

    def bound(self, plan: Plan) -> tuple[Bound, ...]:
        """Return what the build of a plan sees besides its own folders."""

    def script(self, work: Work, plan: Plan, command: Sequence[str]) -> str | None:
        """Return the lines of a compiler's driver; None: the driver starts the compiler itself.

        command -- the compiler with its fixed options; what the driver is given follows
        """

    def note(self, work: Work) -> str:
        """Return a line about what it did in a build; "" if there is nothing to say."""


def program(system: System, found: Path) -> tuple[tuple[str, ...], tuple[Bound, ...]]:
    """Return the words that start a launcher in a sealed build, and what that needs to see.

    system -- that it belongs to
    found  -- where the machine has it
    """
    if not system.is_pinned:
        return (str(found),), ()
    top, inside = f"{system.folder}/usr/", f"{INSIDE}/{_PROGRAM}/"
    words = (word.replace(top, inside) for word in system.start(found))
    return tuple(words), (Bound(Path(top), f"{INSIDE}/{_PROGRAM}"),)


_LOG = ".ccache-log"
_OURS = (".conf", ".asked")
"""Suffixes of the files for ccache beside those of drivers."""
_CCACHE = """\
export QUARD_COLUMNS={columns}
for word; do
    case $word in
        -E | *.[sS] | *.sx | assembler* | -xassembler*) exec {compiler} "$@" ;;
        -g* | --debug* | -fsanitize* | @*) QUARD_COLUMNS=yes ;;
    esac
done
said=/tmp/ccache-said.$$
CCACHE_CONFIGPATH={settings} {launcher} {asked} "$@" 2>"$said"
status=$?
[ -s "$said" ] || [ $status != 0 ] || exit 0
read -r first <"$said"
case $status:$first in
    12[67]:* | 1[3-9]?:* | *:"ccache: error: "*) exec {compiler} "$@" ;;
esac
cat "$said" >&2
exit $status
"""
_ASKED = """\
#!/bin/sh
# What ccache takes for the compiler: adds to the preprocessed source what else decides the object.
# A failure has ccache start the compiler, and keep nothing.
asked='' text='' last=''
for word; do
    [ "$word" != -E ] || asked=yes
    [ "$last" != -o ] || text=$word
    last=$word
done
[ "$asked" ] || exec {compiler} "$@"
# ccache 4.14 reads the text from a pipe, 4.7 from a file.
if [ "$text" ]; then
    piped=''
    {compiler} "$@" || exit
else
    piped=/tmp/ccache-piped.$$ text=$piped
    {compiler} "$@" >"$piped" || exit
fi
# The assembler reads a file that the source names in a string.
grep -q -e '[.]include' -e '[.]incbin' "$text"
[ $? = 1 ] || exit 1
# Preprocessing changes columns, which debug information has: so each file counts as it is.
if [ "$QUARD_COLUMNS" ]; then
    list=/tmp/ccache-files.$$
    sed -n 's/^# [0-9]* "\\(.*\\)".*/\\1/p' "$text" >"$list.all" || exit 1
    sort -u "$list.all" >"$list" || exit 1
    while IFS= read -r name; do
        case $name in *\\\\*) exit 1 ;; esac
        [ ! -f "$name" ] || printf '%s\\0' "$name"
    done <"$list" >"$list.found"
    [ -s "$list.found" ] || exit 1
    xargs -0 sha256sum -- <"$list.found" >>"$text" || exit 1
fi
[ ! "$piped" ] || cat "$piped"
"""


@record(kw_only=True)
class Ccache(Record):
    """Takes what a compiler has made from the same preprocessed source with the same options.

    words    -- start it, and `shown` is what they need to see
    folder   -- of the compiled files of all packages; each package has a folder of its own, so that
                the build of one cannot change another
    limit    -- size of a package's folder in bytes
    identity -- returns the identity of the tools that build a plan
    storage  -- returns the folder with the socket of what keeps a package's files for other
                machines; None: nothing does
    """

    words: tuple[str, ...]
    shown: tuple[Bound, ...]
    folder: Path
    limit: int
    identity: Callable[[Plan], str]
    storage: Callable[[str], Path] | None = None

    def bound(self, plan: Plan) -> tuple[Bound, ...]:
        """See Launcher."""
        own = self.folder / plan.name
        own.mkdir(parents=True, exist_ok=True)
        found = (*self.shown, Bound(own, f"{INSIDE}/{_CACHE}", writable=True))
        if self.storage is None:
            return found
        return (*found, Bound(self.storage(plan.name), f"{INSIDE}/{_STORAGE}"))

    def script(self, work: Work, plan: Plan, command: Sequence[str]) -> str | None:
        """See Launcher.

        Assembler source is left out: ccache does not see what it includes. In C++ a program can
        ask for columns. Where ccache itself fails, as it does on a full disk, the compiler is
        started without it.
        """
        own, name = work.tools / "lib", Path(command[0]).name
        asked = _ASKED.format(compiler=shlex.quote(command[0]))
        files = {path.name: path.read_bytes().hex() for path in _files(own)}
        about = {"tools": self.identity(plan), "command": list(command), "files": files}
        settings = self._settings(canonical.digest({**about, "asked": asked}))
        (own / f"{name}{_OURS[0]}").write_text(_lines(settings))
        (own / f"{name}{_OURS[1]}").write_text(asked)
        (own / f"{name}{_OURS[1]}").chmod(0o755)
        inner = [f"{INSIDE}/tools/lib/{name}{suffix}" for suffix in _OURS]
        return _CCACHE.format(
            columns="yes" if name.endswith("g++") else "",
            compiler=shlex.join(command),
            asked=shlex.join((inner[1], *command[1:])),
            launcher=shlex.join(self.words),
            settings=shlex.quote(inner[0]),
        )

    def _settings(self, digest: str) -> Mapping[str, str]:
        """Return the settings of ccache(1) for a compiler and its files, which have a digest."""
        shared = {"remote_storage": f"redis+unix://{INSIDE}/{_STORAGE}/{NAME}"}
        return {
            "cache_dir": f"{INSIDE}/{_CACHE}",
            "compiler_check": f"string:{digest}",
            "compiler_type": "gcc",
            # It would not notice a new header that hides another one.
            "direct_mode": "false",
            "max_size": f"{max(self.limit >> 20, 1)}Mi",
            "stats_log": f"{INSIDE}/home/{_LOG}",
            "temporary_dir": "/tmp",
            **(shared if self.storage else {}),
        }

    def note(self, work: Work) -> str:
        """See Launcher."""
        try:
            found = (work.home / _LOG).read_text(errors="replace").split()
        except OSError:
            return ""
        hits, misses = found.count("preprocessed_cache_hit"), found.count("cache_miss")
        return f"ccache: {hits} of {hits + misses} compilations were there"


def _files(folder: Path) -> list[Path]:
    """Return the files that drivers refer to, sorted; links lead to tools."""
    found = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if path.suffix not in _OURS)


def _lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in sorted(settings.items()))
