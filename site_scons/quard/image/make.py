"""Making the files of the images' folder: one plan -> its files."""

from __future__ import annotations

from pathlib import Path

from quard.base.files import replacing
from quard.base.record import Record, record
from quard.image import cpio, ext4, squashfs
from quard.image.kept import Kept
from quard.image.lent import Lent
from quard.image.roottar import RootTar
from quard.image.write import Use
from quard.plan.image import EmptyDiskPlan, FileSystemPlan


@record
class Maker(Record):
    """Makes files in one folder, with the tools of `use`.

    kept -- folder of what is used again for the next images
    lent -- folder of the same for all checkouts
    """

    folder: Path
    use: Use
    kept: Path
    lent: Path | None = None

    def file_system(self, plan: FileSystemPlan, tar: RootTar, name: str, made_by: str) -> None:
        """Make a file system from a rootfs.tar.

        made_by -- identity of the tools and of the plan that make it
        """
        out = self.folder / name
        match plan.format:
            case "ext4":
                size = plan.size_mib or None
                ext4.ext4(tar, out, size_mib=size, label=plan.label, use=self.use)
            case "squashfs" | "cpio.gz":
                make = squashfs.squashfs if plan.format == "squashfs" else cpio.cpio_gz
                lent = Lent(self.lent / name if self.lent else None)
                kept = Kept(self.kept / name, lent)
                make(tar, out, use=self.use, kept=kept, made_by=made_by)
            case other:
                raise AssertionError(other)

    def empty_disk(self, plan: EmptyDiskPlan, name: str) -> None:
        """Make an empty file system."""
        out = self.folder / name
        ext4.empty(out, size_mib=plan.size_mib, label=plan.label, use=self.use)

    def script(self, text: str, name: str) -> None:
        """Write an executable script."""
        with replacing(self.folder / name) as part:
            part.write_text(text, encoding="utf-8")
            part.chmod(0o755)
