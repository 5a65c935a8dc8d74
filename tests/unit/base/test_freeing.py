"""quard.base.freeing: the blocks of large files are freed by a thread."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from quard.base import freeing
from quard.base.freeing import freed_beside


def ended() -> None:
    """Wait for the threads."""
    for thread in threading.enumerate():
        if thread.name == "freeing":
            thread.join(20)


def held(path: Path) -> bool:
    """Return whether this process has a file open that was removed."""
    handles = os.listdir("/proc/self/fd")
    links = (f"/proc/self/fd/{handle}" for handle in handles)
    return f"{path} (deleted)" in [os.readlink(link) for link in links if os.path.islink(link)]


def test_names_are_gone_at_once_and_files_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, go_on = tmp_path / "large", threading.Event()
    large.write_bytes(b"x" * 100_000)
    close = freeing._close
    monkeypatch.setattr(freeing, "_close", lambda handles: go_on.wait(20) and close(handles))
    with freed_beside([large, tmp_path / "missing"]):
        large.unlink()
    assert not large.exists() and held(large)
    go_on.set()
    ended()
    assert not held(large)


def test_a_file_that_stays_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(ValueError), freed_beside([path]):
        raise ValueError
    ended()
    assert path.read_text() == "text"


def test_without_files_there_is_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    with freed_beside([tmp_path / "missing"]):
        pass
    assert threading.active_count() == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for a writer
    (tmp_path / "link").symlink_to("pipe")
    with freed_beside([tmp_path / "link", tmp_path / "pipe"]):
        (tmp_path / "link").unlink()
    ended()
    assert (tmp_path / "pipe").is_fifo()
