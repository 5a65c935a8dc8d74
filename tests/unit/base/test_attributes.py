"""Attributes that somebody gave to a file; those of the machine do not count."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from quard.base.attributes import attributes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file on a file system that can hold attributes."""
    path = tmp_path / "file"
    path.touch()
    try:
        os.setxattr(path, "user.overlay.opaque", b"y")
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip("the file system has no extended attributes")
    return path


def test_only_what_somebody_gave_is_named_and_sorted(file: Path) -> None:
    assert attributes(str(file)) == ()
    for name in ("user.z", "user.a", "user.virtfs.uid", "user.containers.x"):
        os.setxattr(file, name, b"x")
    assert attributes(str(file)) == ("user.a", "user.z")


def test_labels_of_security_modules_are_the_machines(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["security.selinux", "security.ima", "trusted.overlay.opaque", "system.nfs4_acl"]
    monkeypatch.setattr(os, "listxattr", lambda *_, **__: [*names, "security.capability"])
    assert attributes(str(file)) == ("security.capability",)


def test_a_file_system_without_attributes_has_none(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object, **__: object) -> list[str]:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "listxattr", unsupported)
    assert attributes(str(file)) == ()


def test_what_cannot_be_asked_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        attributes(str(tmp_path / "none"))


def test_a_link_is_not_followed(file: Path) -> None:
    os.setxattr(file, "user.a", b"x")
    file.with_name("link").symlink_to("file")
    assert attributes(str(file.with_name("link"))) == ()
