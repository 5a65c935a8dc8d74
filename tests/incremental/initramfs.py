"""What a project needs for images of the format cpio.gz."""

from __future__ import annotations

from incremental.project import Project

CONSOLE = """\
[[device]]
path = "/dev/console"
type = "c"
major = 5
minor = 1
mode = "0600"
"""


def bootable(project: Project) -> None:
    """Give the root of a project an /init and a console."""
    (project.folder / "rootfs/init").touch(mode=0o755)
    with (project.folder / "configs/system/base.toml").open("a") as table:
        table.write(CONSOLE)
