"""The unprivileged user that runs the commands of unsealed builds started by root.

Root may write anywhere on the machine, and so could a recipe. A sealed build cannot, whichever
user started it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from quard.base.record import Record, record


@record
class BuildUser(Record):
    """A user and its group, by number."""

    uid: int
    gid: int

    def take_over(self, folder: Path, *, fresh: bool = False) -> None:
        """Give this user a folder and all that our user owns in it.

        fresh -- no build has run there. After a build a file with several names is skipped, since
                 a hard link may lead elsewhere. Symbolic links are never followed.
        """
        mine = os.geteuid()
        os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        for _, folders, files, handle in os.fwalk(folder, follow_symlinks=False):
            for name in (*folders, *files):
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                linked = status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode)
                if status.st_uid == mine and (fresh or not linked):
                    os.chown(name, self.uid, self.gid, dir_fd=handle, follow_symlinks=False)

    def give_back(self, folder: Path) -> None:
        """Give a folder and all in it to our user. Symbolic links are never followed."""
        mine, group = os.geteuid(), os.getegid()
        os.chown(folder, mine, group, follow_symlinks=False)
        for _, folders, files, handle in os.fwalk(folder, follow_symlinks=False):
            for name in (*folders, *files):
                os.chown(name, mine, group, dir_fd=handle, follow_symlinks=False)
