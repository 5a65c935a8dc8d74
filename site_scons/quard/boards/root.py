"""A root: one root file system of a board, with its packages and how they are built."""

from __future__ import annotations

from dataclasses import dataclass

from quard.boards.configuration import Configuration
from quard.model import Unhardened


@dataclass(frozen=True, kw_only=True)
class Login:
    """Who may log in.

    root_password   -- root's entry in shadow(5): a crypt(5) hash, "*" to lock it, or "" for a
                       console that asks for no password (sshd never accepts passwords)
    authorized_keys -- public keys that may log in as root over the network
    """

    root_password: str
    authorized_keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Root:
    """What one root file system contains.

    board      -- the board's name
    name       -- "" for the board's own root
    packages   -- packages requested by name; their dependencies are added
    unhardened -- files that may lack some defences, mainly from overlays
    overlays   -- folders laid over the packages' files, in this order
    formats    -- file systems to make from rootfs.tar
    size_mib   -- of the ext4 file system; 0: it is sized by its content
    persistent -- paths whose changes the data disk keeps; None: it has no data disk
    """

    board: str
    name: str
    configuration: Configuration
    packages: tuple[str, ...]
    unhardened: tuple[Unhardened, ...]
    system: str
    hostname: str
    overlays: tuple[str, ...]
    login: Login
    formats: tuple[str, ...]
    size_mib: int
    persistent: tuple[str, ...] | None

    def path(self, file: str) -> str:
        """Return the path of one of its files in the images folder."""
        return f"{self.name}/{file}" if self.name else file
