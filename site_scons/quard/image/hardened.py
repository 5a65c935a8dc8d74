"""Whether programs and libraries of an image have the defences that the board asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from quard.base.errors import QuardError
from quard.image.tree import Tree
from quard.model import Unhardened
from quard.parts.elf import Elf


def lacks(frame: Elf) -> tuple[str, ...]:
    """Return the defences that a file has not, of those that can be read off it; sorted.

    They are words of a board's [hardening]. What is neither a program nor a shared library, as a
    kernel module, lacks nothing.
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
    """The check of one image: files are handed in one by one.

    wanted     -- defences that every file must have, as Hardening.checked gives them
    exceptions -- (package, what of it goes without); with "" for the package, of any file
    """

    def __init__(
        self, wanted: Sequence[str], exceptions: Sequence[tuple[str, Unhardened]] = ()
    ) -> None:
        self._wanted = wanted
        self._exceptions = exceptions
        self._met: set[int] = set()

    def errors(self, tree: Tree, path: str, frame: Elf) -> Iterator[QuardError]:
        """Yield the error of a file that lacks what nobody excuses. Reason: unhardened."""
        excused: set[str] = set()
        for number, (package, exception) in enumerate(self._exceptions):
            own = not package or package in tree.packages.get(path, ())
            if own and fnmatchcase(f"/{path}", exception.path):
                self._met.add(number)
                excused.update(exception.lacks)
        missing = [word for word in lacks(frame) if word in self._wanted and word not in excused]
        if missing:
            yield QuardError(
                f"/{path} of {tree.owners[path]} lacks {', '.join(missing)}",
                reason="unhardened",
                hint="see why its build does without the compiler driver's options, or say in "
                "its recipe why it may: unhardened=(Unhardened(...),) (docs/hardening.md)",
            )

    def unused(self) -> Iterator[QuardError]:
        """Yield the error of each exception that no program or library is meant by.

        One that excuses nothing is none: with another toolchain it may be needed.
        Reason: exception-unused.
        """
        for number, (package, exception) in enumerate(self._exceptions):
            if number not in self._met:
                where = f"package {package}" if package else "the board"
                yield QuardError(
                    f"an exception of {where} is for {exception.path}, "
                    "where the image has no program or library",
                    reason="exception-unused",
                    hint="correct the path or take the exception out",
                )
