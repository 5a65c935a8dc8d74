"""A result on the wire: an ActionResult of the Remote Execution API, version 2, in protobuf.

Servers such as bazel-remote check that an entry below /ac is one, and that the files it names are
below /cas. Our record is its `stdout_raw`, so that HTTP and gRPC clients share entries, and the
record's signature its `stderr_raw`. The
encoding (https://protobuf.dev/programming-guides/encoding) of these fields needs no library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_FILES, _STDOUT, _STDERR = 2, 5, 7
"""Fields of ActionResult: output_files, stdout_raw, stderr_raw."""
_PATH, _DIGEST = 1, 2
"""Fields of OutputFile."""
_HASH, _SIZE = 1, 2
"""Fields of Digest."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types; groups (3 and 4) are not used by these messages."""
_WIDEST = 63


def encode(
    record: bytes, blobs: Mapping[str, str], sizes: Mapping[str, int], signature: bytes = b""
) -> bytes:
    """Return the message with a record.

    blobs -- part -> SHA-256
    sizes -- SHA-256 -> size in bytes
    """
    found = b""
    for part, sha256 in sorted(blobs.items()):
        digest = _bytes(_HASH, sha256.encode()) + _number(_SIZE, sizes[sha256])
        found += _bytes(_FILES, _bytes(_PATH, part.encode()) + _bytes(_DIGEST, digest))
    found += _bytes(_STDOUT, record)
    return found + _bytes(_STDERR, signature) if signature else found


def decode(data: bytes) -> tuple[bytes, dict[str, int], bytes]:
    """Return a message's record, SHA-256 -> size of the files that it names, and the signature.

    Unknown fields are skipped. Raises ValueError for data that are no such message.
    """
    record, sizes, signature = b"", {}, b""
    for field, value in _fields(data):
        if field == _STDOUT and isinstance(value, bytes):
            record = value
        elif field == _STDERR and isinstance(value, bytes):
            signature = value
        elif field == _FILES and isinstance(value, bytes):
            digest = dict(_fields(_message(dict(_fields(value)), _DIGEST)))
            size = digest.get(_SIZE, 0)
            if not isinstance(size, int):
                raise ValueError("a size is not a number")
            sizes[_message(digest, _HASH).decode("ascii")] = size
    return record, sizes, signature


def _message(fields: Mapping[int, bytes | int], field: int) -> bytes:
    value = fields.get(field, b"")
    if not isinstance(value, bytes):
        raise ValueError(f"field {field} is a number")
    return value


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field. Raises ValueError."""
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _read_varint(data, position)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, position = _read_varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if position + length > len(data):
            raise ValueError("a field is longer than the message")
        yield tag >> 3, data[position : position + length]
        position += length


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number, and where the next item begins."""
    value = shift = 0
    while position < len(data) and shift <= _WIDEST:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError("a number does not end")
