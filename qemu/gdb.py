"""Commands for gdb on a running board, read by gdb.sh: `user PATH [ADDRESS]`."""

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
            try:
                offset = f" -o {int(words[1], 0):#x}"
            except ValueError:
                raise gdb.GdbError(f"{words[1]} is no address: 0x2ac1e40000 is one") from None
        gdb.execute(f'add-symbol-file "{program}"{offset}')


User()
