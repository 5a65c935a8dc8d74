"""Files that people name: what is no file, or has no end, is refused at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from quard.base import given


def refusal(path: Path, largest: int = given.LARGEST) -> str:
    with pytest.raises(OSError) as caught:
        given.content(path, largest)
    assert caught.value.filename == str(path)
    return caught.value.strerror or ""


def test_a_file_is_read_whole_up_to_the_largest(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1024
    (tmp_path / "file").write_bytes(data)
    assert given.content(tmp_path / "file") == data
    assert given.content(str(tmp_path / "file"), len(data)) == data
    assert refusal(tmp_path / "file", len(data) - 1) == "it is larger than 0 MiB"
    (tmp_path / "link").symlink_to("file")
    assert given.content(tmp_path / "link") == data
    with given.opened(tmp_path / "link") as file:
        assert file.read() == data


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    assert refusal(tmp_path / "pipe") == "it is a pipe, not a file"
    assert refusal(tmp_path / "link") == "it is a device, not a file"
    assert refusal(tmp_path) == "it is a folder, not a file"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        assert refusal(tmp_path / "socket") == "it is a socket, not a file"
    with pytest.raises(OSError, match="it is a pipe"):
        given.opened(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        given.content(tmp_path / "nothing")


def test_a_file_that_tells_no_size_is_read_and_bounded() -> None:
    assert Path("/proc/self/status").stat().st_size == 0
    assert given.content("/proc/self/status").startswith(b"Name:")
    assert refusal(Path("/proc/self/status"), 10) == "it is larger than 0 MiB"


def test_a_text_has_one_kind_of_line_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert given.text(tmp_path / "file", "utf-8-sig") == "a\nb\nc\n"
