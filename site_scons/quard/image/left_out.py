"""What packages of an image have that the image does not take, to explain errors.

Of a package that is only needed by another, an image has the libs without the programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from quard.image import tarimage
from quard.parts.stage import below


class LeftOut:
    """The programs of packages that an image has without them.

    blobs -- package -> returns the blob of its programs; called only when an error is explained
    """

    def __init__(self, blobs: Mapping[str, Callable[[], Path]]) -> None:
        self._blobs = blobs

    def remedy(self, paths: Iterable[str], otherwise: str) -> str:
        """Return a hint for an error about something that is missing.

        paths     -- where it would be, without a leading slash: a file, or a folder
        otherwise -- the hint if no package has it
        """
        wanted = tuple(paths)
        for package, path in self._found:
            if any(below(path, each) for each in wanted):
                return (
                    f"{package} has it, but the image has only the libs of {package}: list the"
                    " package in the board's `packages` or in `runtime` of the recipe that uses it"
                )
        return otherwise

    @cached_property
    def _found(self) -> list[tuple[str, str]]:
        """The package and the path of each file."""
        return [
            (package, path)
            for package, blob in sorted(self._blobs.items())
            for path in tarimage.read(blob(), f"the blob of {package}", ours=False)
        ]
