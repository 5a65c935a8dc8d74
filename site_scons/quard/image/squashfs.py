"""rootfs.squashfs, by tar2sqfs of squashfs-tools-ng, whose output depends only on its input."""

from __future__ import annotations

import shutil
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.space import disk_full
from quard.image.tarimage import MTIME
from quard.image.tree import ROOT
from quard.image.write import USE, Use, run, scratch

_COMPRESSOR, _LEVEL = "zstd", 6
"""With 60 MB of programs: zstd 6 24.2 MB in 2 s, gzip 6 24.5 MB in 4 s, zstd 15 22.2 MB in 24 s."""


def squashfs(tar: Path, out: Path, *, use: Use = USE) -> None:
    """Make a squashfs from rootfs.tar, with the tools of `use`.

    Raises QuardError: tool-missing, disk-full, image-tool, interrupted.
    """
    with scratch(out) as folder:
        made = folder / out.name
        argv = [
            *("tar2sqfs", "--quiet", "--compressor", _COMPRESSOR, "-X", f"level={_LEVEL}"),
            *("--defaults", f"uid={ROOT.uid},gid={ROOT.gid},mode={ROOT.mode:04o},mtime={MTIME}"),
            str(made),
        ]
        room = shutil.disk_usage(folder).free
        try:
            run(argv, out, stdin=tar, use=use)
        except QuardError as error:
            # tar2sqfs reports a full disk only as "I/O error".
            if "I/O error" in error.detail and room < tar.stat().st_size:
                said = f"{error.detail}\n{room} bytes were free"
                raise disk_full(f"making {out.name}", out.parent, said) from error
            raise
        made.replace(out)
