"""A configuration: everything outside a recipe that decides how its package is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from quard.base.record import Record, record
from quard.boards.trees import placed
from quard.hardening import Hardening
from quard.target import Target

if TYPE_CHECKING:
    from quard.boards.override import Override

Choice = Literal["on", "off", "if-available"]


@record(kw_only=True)
class BoardToolchain(Record):
    """The cross compiler.

    prefix -- of its commands, as in riscv64-linux-gnu-
    folder -- where it is installed (its `bin` holds the commands); "" for the machine's compiler
    """

    prefix: str
    folder: str


@record(kw_only=True)
class Configuration(Record):
    """How packages are built; a board has one for each of its roots.

    name      -- in the ids of its packages, NAME@CONFIGURATION: the board's, or BOARD/ROOT
    folder    -- of its packages' files, and before their names as users write them; "" for the
                 board's own
    cflags    -- the board's compiler flags
    hardening -- defences that programs are built with
    features  -- (package, feature) -> choice; others have the recipe's default
    fragments -- package -> further Kconfig fragments, as names of files (quard.boards.trees)
    overrides -- package -> what it is built from instead of what its recipe says
    native    -- packages are built for the build machine itself
    tree      -- the tree of the board's file, which the Kconfig editor writes to
    """

    name: str
    folder: str
    target: Target
    toolchain: BoardToolchain
    cflags: str
    hardening: Hardening
    features: Mapping[tuple[str, str], Choice]
    fragments: Mapping[str, tuple[str, ...]]
    overrides: Mapping[str, Override] = field(default_factory=dict)
    native: bool = False
    tree: str = ""

    @property
    def flags(self) -> str:
        """The compiler flags: those of the target, then the board's, which may override them."""
        return f"{self.target.flags} {self.cflags}".strip() if self.target.flags else self.cflags

    @property
    def file(self) -> str:
        """The name of the board's file, see quard.boards.trees."""
        return placed(self.tree, f"configs/{self.name.partition('/')[0]}.toml")

    def where(self, key: str) -> str:
        """Return the place of a key of the board or the root, for messages: FILE: KEY."""
        table = f"roots.{self.folder}." if self.folder else ""
        return f"{self.file}: {table}{key}"
