"""Unix sockets that sealed builds see: this process answers what a build has no network for."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

NAME = "socket"
_WAITING = 64


class Socket:
    """A socket in a folder of its own; each connection is answered in a thread.

    folder -- has only the socket, NAME
    answer -- called with a connection, which is closed afterwards
    """

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._answer = answer
        self._kept = TemporaryDirectory(prefix="quardroot-")
        self.folder = Path(self._kept.name)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        try:
            # The address of a socket has room for 107 bytes, and the folder's name may be longer.
            self._listening.bind(f"/proc/self/fd/{opened}/{NAME}")
        finally:
            os.close(opened)
        self._listening.listen(_WAITING)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            self._answer(connection)

    def close(self) -> None:
        """Take no more connections, and remove the folder."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._kept.cleanup()
