"""The input of an action as messages of the Remote Execution API: a message for each folder."""

from __future__ import annotations

from collections.abc import Mapping

from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)

from quard.base.record import Record, record
from quard.dispatch.folder import File, Folder, Link
from quard.remote.cas import Blob


@record
class Encoded(Record):
    """A folder's message, and all blobs that a server needs for it, its own message included."""

    digest: messages.Digest
    blobs: dict[str, Blob]


def encode(folder: Folder, known: Mapping[Folder, Encoded]) -> Encoded:
    """Return a folder and all below it for a server.

    known -- folders that are encoded already; what several actions share is in it
    Raises ValueError for a name that is no UTF-8.
    """
    if found := known.get(folder):
        return found
    message, blobs = messages.Directory(), dict[str, Blob]()
    for name, entry in sorted(folder.entries.items()):
        match entry:
            case Folder():
                inner = encode(entry, known)
                message.directories.add(name=name, digest=inner.digest)
                blobs |= inner.blobs
            case Link(target):
                message.symlinks.add(name=name, target=target)
            case File(sha256, size, executable, source):
                blob = Blob(sha256, size, source)
                message.files.add(name=name, digest=blob.digest(), is_executable=executable)
                blobs[sha256] = blob
    own = Blob.of(message.SerializeToString(deterministic=True))
    blobs[own.sha256] = own
    return Encoded(own.digest(), blobs)
