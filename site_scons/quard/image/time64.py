"""Checks that programs for processors of 32 bits count time beyond 2038.

glibc for such processors has each function that takes or returns a time twice, as `time` and
`__time64`. The compiler's flags decide which one programs call (_TIME_BITS in
feature_test_macros(7)); which functions these are, the C library in the image says itself.

A static program does not show which it calls. glibc has both functions of most pairs in one object
file, so the linker takes both: the symbol tables of programs that are compiled for 32 and for 64
bits are the same. Debug information would tell, but a build that ignores the flags of the target
ignores -g as well. So these programs are only counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from quard.base.errors import QuardError
from quard.image.elf_content import opened_elf
from quard.image.tree import Tree
from quard.parts import elf
from quard.parts.elf_view import View
from quard.target import Target

_LIBC = "libc.so.6"
_SINCE = "GLIBC_2.34"
"""The version that has all functions for times of 64 bits, and no other pairs of such names."""
_FORMS = ("__{}64", "__{}64_time64", "__{}_time64")
_UNDEFINED = 0


class Times:
    """The check of one image, file by file.

    static -- paths of programs that do not show what they call, in the order of the check
    """

    def __init__(self, tree: Tree, target: Target) -> None:
        self._tree = tree
        self._concerned = target.elf.bits == 32 and target.c_library == "glibc"
        self._folders = target.libraries
        self.static: list[str] = []

    def short(self, path: str, view: View) -> tuple[str, ...]:
        """Return the functions for times of 32 bits that a file calls, sorted.

        The C library's package is not asked: its own libraries have both, for old programs.
        Raises as `View` does.
        """
        if not self._concerned or not self._long or self._is_libc(path):
            return ()
        return tuple(
            sorted(
                symbol.name
                for symbol in elf.dynamic_symbols(view)
                if symbol.section == _UNDEFINED and _pairs(symbol.name) & self._long
            )
        )

    def pass_over(self, path: str, frame: elf.Elf) -> None:
        """Note a file if it is a static program, of which nothing is known."""
        program = frame.kind in ("exec", "dyn") and not frame.library
        static = program and frame.interp is None and not frame.needed
        if static and self._concerned and not self._is_libc(path):
            self.static.append(path)

    @cached_property
    def _path(self) -> str:
        """The C library's path; "" if the image has none."""
        places = (f"{folder}/{_LIBC}" for folder in self._folders)
        return next(filter(None, map(self._place, places)), "")

    def _place(self, path: str) -> str:
        try:
            found = self._tree.resolve(path)
        except QuardError:  # a loop of links, which is an error of its own
            return ""
        return found if found in self._tree.nodes else ""

    @cached_property
    def _long(self) -> frozenset[str]:
        """The C library's functions for times of 64 bits."""
        node = self._tree.nodes.get(self._path)
        if node is None or node.content is None:
            return frozenset()
        with opened_elf(node.content) as view:
            return frozenset(
                symbol.name for symbol in elf.dynamic_symbols(view) if symbol.version == _SINCE
            )

    def _is_libc(self, path: str) -> bool:
        packages = self._tree.packages
        return bool(packages.get(path, set()) & packages.get(self._path, set()))


def errors(tree: Tree, path: str, functions: tuple[str, ...]) -> Iterator[QuardError]:
    """Yield an error for a file that calls such functions. Reason: short-time."""
    if functions:
        yield QuardError(
            f"/{path} of {tree.owners[path]} counts time with 32 bits, which ends in 2038",
            detail=f"it calls {', '.join(functions)}",
            reason="short-time",
            hint="its build ignores the flags of the target: let its recipe pass {cflags} on",
        )


def note(path: str) -> str:
    """Return the note on a static program."""
    return (
        f"note: /{path} is a static program, and does not show whether it counts time with 64 bits:"
        " docs/errors/short-time.md says how to find out"
    )


def _pairs(name: str) -> set[str]:
    """Return the names that a function has for times of 64 bits: `ctime_r` is __ctime64_r."""
    plain = {form.format(name) for form in _FORMS}
    return plain | ({f"__{name.removesuffix('_r')}64_r"} if name.endswith("_r") else set())
