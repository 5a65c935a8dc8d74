"""Folders as the messages that a server finds them by."""

from __future__ import annotations

import hashlib

import pytest
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as m

from quard.dispatch.folder import File, Folder, Link, text
from quard.dispatch.merkle import encode


def folder(*names: str) -> Folder:
    found = Folder()
    for name in names:
        found.put(name, text(name.encode(errors="replace")))
    return found


def test_a_message_names_what_is_in_a_folder() -> None:
    top = folder("b/file", "a")
    top.put("link", Link("b/file"))
    top.put("run", File("a" * 64, 1, True, b"x"))
    found = encode(top, {})
    message = m.Directory.FromString(found.blobs[found.digest.hash].read())
    assert [(each.name, each.is_executable) for each in message.files] == [
        ("a", False), ("run", True)
    ]  # fmt: skip
    assert [(each.name, each.target) for each in message.symlinks] == [("link", "b/file")]
    (inner,) = message.directories
    assert inner.name == "b"
    assert found.blobs.keys() >= {inner.digest.hash, hashlib.sha256(b"b/file").hexdigest()}


def test_equal_folders_have_one_digest_whatever_their_order() -> None:
    one, other = encode(folder("a", "b/c"), {}), encode(folder("b/c", "a"), {})
    assert one.digest == other.digest and one.blobs.keys() == other.blobs.keys()


def test_a_folder_that_is_known_is_not_encoded_again() -> None:
    inner, top = folder("a"), Folder()
    top.put("usr", inner)
    known = {inner: encode(inner, {})}
    expected = encode(top, {}).digest
    inner.entries.clear()
    assert encode(top, known).digest == expected
    assert encode(top, {}).digest != expected
    assert Folder() not in known, "another folder with the same entries is not meant"


def test_a_name_that_is_not_utf_8_is_an_error() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode(folder("\udcff"), {})
