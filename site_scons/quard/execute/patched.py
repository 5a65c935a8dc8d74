"""A package's source with its patches alone: what its build has before the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from quard.execute import patch, sources
from quard.execute.builder import Build


def lay_out(
    build: Build,
    archives: Mapping[str, Path],
    patches: Iterable[tuple[str, bytes]],
    check: Callable[[], None],
    done: Callable[[str], None],
) -> None:
    """Fill the source folder of a build.

    archives -- folder below the source tree -> the archive that is unpacked there
    patches  -- names and texts
    done     -- called with "" when the archives are unpacked, and with each patch's name when it is
                applied
    Raises QuardError: as `sources.lay_out` and `patch.apply` do.
    """
    build.sandbox.renew()
    build.tools.fill()
    sources.lay_out(archives, build.work.src, check)
    build.sandbox.hand_over(fresh=True)
    done("")
    folder = build.work.root / "patches"
    folder.mkdir()
    for name, content in patches:
        check()
        path = folder / name
        path.write_bytes(content)
        patch.apply((path,), build.run_patch)
        done(name)
    build.sandbox.take_back()
