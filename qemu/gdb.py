"""gdb's commands for a running board, read by gdb.sh: `user` and `module`."""

import pathlib
import struct

import gdb

_TYPE = 16
"""Offset of e_type in an ELF header (elf(5))."""
_FIXED = 2
"""ET_EXEC: the program is loaded where it was linked."""


class User(gdb.Command):
    """user PATH [ADDRESS]: take the symbols of a program of the board.

    PATH    -- as on the board
    ADDRESS -- where it is loaded: the first of its lines in /proc/PID/maps; a program that is
               linked to a fixed place needs none, and one that is given does no harm
    """

    def __init__(self) -> None:
        super().__init__("user", gdb.COMMAND_FILES, gdb.COMPLETE_NONE)

    def invoke(self, text: str, from_tty: bool) -> None:
        """Do as told; a mistake is one line."""
        del from_tty
        words = gdb.string_to_argv(text)
        if len(words) not in (1, 2):
            raise gdb.GdbError("usage: user PATH [ADDRESS]")
        root = pathlib.Path(gdb.parameter("sysroot"))
        program = root / words[0].lstrip("/")
        if not program.is_file():
            raise gdb.GdbError(f"{words[0]} is not among what the packages install")
        with program.open("rb") as file:
            header = file.read(_TYPE + 2)
        if header[:4] != b"\x7fELF":
            raise gdb.GdbError(f"{words[0]} is no program with symbols")
        offset = ""
        if struct.unpack_from("<H", header, _TYPE)[0] != _FIXED:
            if len(words) == 1:
                raise gdb.GdbError(f"{words[0]} can be anywhere: give its address, too")
            offset = f" -o {_address(words[1]):#x}"
        gdb.execute(f'add-symbol-file "{program}"{offset}')


class Module(gdb.Command):
    """module NAME ADDRESS: take the symbols of a kernel module.

    ADDRESS -- where its code is: /sys/module/NAME/sections/.text of the board
    """

    def __init__(self) -> None:
        super().__init__("module", gdb.COMMAND_FILES, gdb.COMPLETE_NONE)

    def invoke(self, text: str, from_tty: bool) -> None:
        """Do as told; a mistake is one line."""
        del from_tty
        words = gdb.string_to_argv(text)
        if len(words) != 2:
            raise gdb.GdbError("usage: module NAME ADDRESS")
        modules = pathlib.Path(gdb.parameter("sysroot"), "usr/lib/debug/usr/lib/modules")
        wanted = words[0].replace("-", "_")
        for path in sorted(modules.rglob("*.ko.debug")):
            if path.name.removesuffix(".ko.debug").replace("-", "_") == wanted:
                gdb.execute(f'add-symbol-file "{path}" {_address(words[1]):#x}')
                return
        raise gdb.GdbError(f"{words[0]} is not among the kernel modules of the board")


def _address(word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise gdb.GdbError(f"{word} is not an address such as 0x2ac1e40000") from None


User()
Module()
