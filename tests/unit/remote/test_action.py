"""quard.remote.action: our record in an ActionResult, byte for byte."""

from __future__ import annotations

import pytest

from quard.remote import action

SHA = "0123456789abcdef" * 4
OTHER = "f" * 64


def test_the_bytes_are_those_of_protobuf() -> None:
    """An ActionResult with one OutputFile "a", whose Digest is SHA and 300, and stdout_raw "x"."""
    digest = b"\x0a\x40" + SHA.encode() + b"\x10\xac\x02"
    file = b"\x0a\x01a" + b"\x12" + bytes([len(digest)]) + digest
    wanted = b"\x12" + bytes([len(file)]) + file + b"\x2a\x01x"
    assert action.encode(b"x", {"a": SHA}, {SHA: 300}) == wanted


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16384, 1 << 31, 1 << 40])
def test_what_was_encoded_is_read_back(size: int) -> None:
    record = bytes(range(256)) * 100
    data = action.encode(record, {"a": SHA, "b": OTHER}, {SHA: size, OTHER: 1})
    assert action.decode(data) == (record, {SHA: size, OTHER: 1}, b"")


def test_fields_of_others_are_passed_over() -> None:
    """exit_code, execution_metadata, and fields that no version has yet."""
    others = b"\x20\x07" + b"\x4a\x03abc" + b"\xf9\x01" + bytes(8) + b"\xfd\x01" + bytes(4)
    assert action.decode(others + action.encode(b"x", {}, {}) + others) == (b"x", {}, b"")


def test_a_truncated_message_is_an_error_or_has_no_record() -> None:
    data = action.encode(b"record", {"a": SHA}, {SHA: 300})
    for length in range(len(data)):
        try:
            record, _, signature = action.decode(data[:length])
        except ValueError:
            continue
        assert (record, signature) == (b"", b"")


def test_a_signature_stands_beside_the_record() -> None:
    assert action.decode(action.encode(b"x", {}, {}, b"signed")) == (b"x", {}, b"signed")


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",  # a group
        b"\xff" * 11,  # a number without end
        b"\x12\x04\x12\x02\x0a\x40",  # a digest that is longer than its message
        b"\x12\x02\x10\x01",  # a digest that is a number
        b"\x12\x05\x12\x03\x0a\x01\xff",  # a hash that is no text
    ],
)
def test_other_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        found = action.decode(data)
        assert found[1] == {} or pytest.fail(str(found))
