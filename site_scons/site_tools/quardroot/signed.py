"""Image files, whose signature is the key of the result that they belong to.

SCons signs a file by reading it, while no other job can begin or end: for all images of a board
that takes as long as making one of them. What has the same key has the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from SCons.Node.FS import File

from quard.base import canonical


class SignedFile(File):
    """A file that is signed by a key; by its content while there is none."""

    __slots__ = ()

    def get_csig(self) -> str:
        """Return the signature, which SCons compares from run to run."""
        key = self.attributes.quardroot_key()
        if not key:
            return super().get_csig()
        found = canonical.digest([key, self.name])
        self.get_ninfo().csig = found
        return found


def sign(node: File, key: Callable[[], str]) -> None:
    """Have a file signed by a key.

    key -- returns that of the present result; "" if there is none
    """
    node.attributes.quardroot_key = key
    node.__class__ = SignedFile  # as SCons does with an entry that turns out to be a file
