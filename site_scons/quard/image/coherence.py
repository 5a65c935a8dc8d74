"""Marking an images folder while its files are not all from one build.

`images/unfinished` exists from just before the first file changes until all files are up to date
again, also after a failure or a kill; run.sh refuses to start while it exists.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from quard.base.files import remove_tree

MARK = "unfinished"
"""Lists the files that were about to change, one per line."""
_ASIDE = ".before"


class Coherence:
    """Marks one folder; several threads may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / MARK
        self._writing = threading.Lock()

    def begin(self, name: str) -> None:
        """Note that a file is about to change. Raises OSError."""
        with self._writing:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._mark.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")

    def keep_only(self, files: Iterable[str]) -> tuple[str, ...]:
        """Remove everything but these files and the mark.

        Returns the names of the folders at the top that were removed. Raises OSError.
        """
        wanted = {MARK: False}  # name -> whether it is a folder
        for name in files:
            wanted[name] = False
            wanted |= {str(folder): True for folder in Path(name).parents}
        return tuple(self._keep_only("", wanted))

    def _keep_only(self, inner: str, wanted: Mapping[str, bool]) -> Iterator[str]:
        folder = self._folder / inner
        for entry in sorted(os.scandir(folder), key=lambda e: e.name) if folder.is_dir() else ():
            name = f"{inner}/{entry.name}" if inner else entry.name
            is_folder = wanted.get(name)
            if is_folder is False:
                continue
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry)  # also a link in place of a folder: its target is not ours
            elif is_folder:
                yield from self._keep_only(name, wanted)
            else:
                remove_tree(Path(entry.path))
                if not inner:
                    yield name

    def end(self, *, whole: bool) -> str:
        """End a run; `whole`: every file is up to date. Return a warning, or an empty string."""
        try:
            if whole:
                self._mark.unlink(missing_ok=True)
        except OSError as error:
            return f"{self._mark} cannot be removed: {error.strerror}"
        names = ", ".join(self.begun())
        return f"the images are from different builds; unfinished: {names}" if names else ""

    def begun(self) -> tuple[str, ...]:
        """Return the names of the files that were about to change, none if all are up to date."""
        try:
            return tuple(sorted(set(self._mark.read_text(encoding="utf-8").splitlines())))
        except (OSError, UnicodeDecodeError):
            return (MARK,) if self._mark.exists() else ()

    @contextlib.contextmanager
    def aside(self, paths: Sequence[Path]) -> Iterator[Callable[[], None]]:
        """Move the files of one folder away while their input is rebuilt.

        Yields a function that restores them, to be called if they still match their input;
        otherwise, and after an error, they are removed.
        """
        away = paths[0].parent / _ASIDE  # two roots may be made at once
        if away.exists():
            remove_tree(away)
        away.mkdir(parents=True)
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                path.rename(away / path.name)

        def bring_back() -> None:
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    (away / path.name).rename(path)

        try:
            yield bring_back
        finally:
            from quard.base.freeing import freed_beside  # noqa: PLC0415 - a null build frees nothing

            with freed_beside(away / path.name for path in paths):
                remove_tree(away)
