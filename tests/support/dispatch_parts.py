"""An action that runs here: its input in a folder, its program under bubblewrap as its user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from quard.dispatch.folder import File, Folder, Link
from quard.dispatch.inputs import Order


def materialise(folder: Folder, into: Path) -> None:
    """Make the files of an action in an empty folder, as an engine does."""
    for name, entry in folder.entries.items():
        place = into / name
        match entry:
            case Folder():
                place.mkdir()
                materialise(entry, place)
            case Link(target):
                place.symlink_to(target)
            case File(source=bytes() as content):
                place.write_bytes(content)
                place.chmod(0o755 if entry.executable else 0o644)
            case File(source=Path() as source):
                try:
                    os.link(source, place)
                except OSError:
                    place.write_bytes(source.read_bytes())
                    place.chmod(0o755 if entry.executable else 0o644)


def run(order: Order, top: Path, *, user: int = 1000) -> subprocess.CompletedProcess[str]:
    """Run an action whose input is in the folder `top`, without a network."""
    env = [word for name, text in order.env for word in ("--setenv", name, text)]
    return subprocess.run(
        [
            *("bwrap", "--unshare-all", "--die-with-parent", "--hostname", "elsewhere"),
            *("--uid", str(user), "--gid", str(user), "--cap-drop", "ALL"),
            *("--bind", str(top), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
            *("--clearenv", *env, "--chdir", "/", "--", *order.words),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
