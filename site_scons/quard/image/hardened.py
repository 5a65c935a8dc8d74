"""Checks that programs and libraries of an image have the hardening that the board requires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

from quard.base.errors import QuardError
from quard.image.only_needed import OnlyNeeded
from quard.image.tree import Tree
from quard.installed import Unhardened
from quard.parts.elf import Elf


def lacks(frame: Elf) -> tuple[str, ...]:
    """Return the defences that a file lacks, of those that the file shows; sorted.

    They are words of a board's [hardening]. Files that are neither programs nor shared libraries,
    such as kernel modules, lack nothing.
    """
    if frame.kind not in ("exec", "dyn"):
        return ()
    missing = {
        "bind_now": frame.dynamic and not frame.bind_now,
        "no_rpath": bool(frame.rpath or frame.runpath),
        "no_textrel": frame.textrel,
        "noexecstack": frame.execstack,
        "pie": frame.kind == "exec",
        "relro": frame.relro == (0, 0),
    }
    return tuple(word for word in sorted(missing) if missing[word])


class Hardened:
    """The check of one image, file by file.

    wanted     -- defences that every file must have, from Hardening.checked
    exceptions -- (package, exception); "" as the package means files of any package
    needed     -- packages without their programs: their exceptions may match nothing
    """

    def __init__(
        self,
        wanted: Sequence[str],
        exceptions: Sequence[tuple[str, Unhardened]] = (),
        needed: OnlyNeeded | None = None,
    ) -> None:
        self._wanted = wanted
        self._needed = needed or OnlyNeeded({})
        self._exceptions = exceptions
        self._met: set[int] = set()

    def errors(self, tree: Tree, path: str, frame: Elf) -> Iterator[QuardError]:
        """Yield an error for a file that lacks a defence without exception. Reason: unhardened."""
        excused: set[str] = set()
        for number, (package, exception) in enumerate(self._exceptions):
            own = not package or package in tree.packages.get(path, ())
            if own and _named(exception, path):
                self._met.add(number)
                excused.update(exception.lacks)
        missing = [word for word in lacks(frame) if word in self._wanted and word not in excused]
        if missing:
            yield QuardError(
                f"/{path} of {tree.owners[path]} lacks {', '.join(missing)}",
                reason="unhardened",
                hint="find out why its build ignores the compiler driver's options, or declare an "
                "exception in its recipe: unhardened=(Unhardened(...),) (docs/hardening.md)",
            )

    def unused(self) -> Iterator[QuardError]:
        """Yield an error for each exception that matches no program or library.

        A match that lacks nothing is no error: with another toolchain the exception may be needed.
        Reason: exception-unused.
        """
        for number, (package, exception) in enumerate(self._exceptions):
            if number not in self._met and package not in self._needed:
                where = f"package {package}" if package else "the board"
                yield QuardError(
                    f"an exception of {where} is for {exception.path}, "
                    "where the image has no program or library",
                    reason="exception-unused",
                    hint=self._needed.remedy_if(
                        partial(_named, exception), "correct the path or remove the exception"
                    ),
                )


def _named(exception: Unhardened, path: str) -> bool:
    return fnmatchcase(f"/{path}", exception.path)
