"""Signatures of records, as OpenSSH makes and checks them (ssh-keygen(1), -Y).

The keys are those that people and services have already: files, agents, hardware. A list of trusted
keys has the form of allowed signers, which git uses as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from quard.base.errors import QuardError
from quard.process.starting import run

NAMESPACE = "record@quardroot"
"""Signatures for other purposes have another one, and are not accepted."""
_PROGRAM = "ssh-keygen"
_SECONDS = 30


class Signatures:
    """Signs records and checks signatures; several threads may use it at once.

    trusted -- file of allowed signers; None: every record is accepted
    key     -- file of the key that signs; None: records are not signed
    search  -- the PATH
    agent   -- socket of the user's agent, which may have the key; "": none
    """

    def __init__(self, trusted: Path | None, key: Path | None, search: str, agent: str) -> None:
        self._trusted = trusted
        self._key = key
        self._search = search
        self._env = {"LC_ALL": "C", "PATH": search, **({"SSH_AUTH_SOCK": agent} if agent else {})}
        self._lock = threading.Lock()

    @property
    def required(self) -> bool:
        """Whether a record needs a trusted signature."""
        return self._trusted is not None

    def require(self) -> None:
        """Raise QuardError for what is needed and missing."""
        if (self._trusted or self._key) and shutil.which(_PROGRAM, path=self._search) is None:
            raise QuardError(
                f"the machine has no {_PROGRAM}, which signs results and checks signatures",
                reason="tool-missing",
                hint="install OpenSSH's client, or remove cache.trust and cache.sign",
            )

    def sign(self, data: bytes) -> bytes:
        """Return a signature; empty if records are not signed. Raises QuardError cannot-sign."""
        if self._key is None:
            return b""
        with self._lock:  # an agent may ask its user
            status, out, err = self._run(("-Y", "sign", "-n", NAMESPACE, "-f", self._key), data)
        if status or not out.startswith(b"-----BEGIN SSH SIGNATURE-----"):
            raise QuardError(
                f"results cannot be signed with {self._key}",
                detail=err,
                reason="cannot-sign",
                hint="cache.sign names a private key without a passphrase, or the public key of one"
                " that ssh-agent has",
            )
        return out

    def accepts(self, data: bytes, signature: bytes) -> bool:
        """Return whether data need no signature, or have that of a trusted key."""
        if self._trusted is None:
            return True
        if not signature:
            return False
        with TemporaryDirectory() as folder:
            file = Path(folder) / "signature"
            file.write_bytes(signature)
            found, names, _ = self._run(
                ("-Y", "find-principals", "-f", self._trusted, "-s", file), b""
            )
            name = os.fsdecode(names).partition("\n")[0]
            if found or not name:
                return False
            words = ("-Y", "verify", "-f", self._trusted, "-I", name, "-n", NAMESPACE, "-s", file)
            status, _, _ = self._run(words, data)
        return status == 0

    def _run(self, words: tuple[str | Path, ...], given: bytes) -> tuple[int, bytes, str]:
        """Return status, output and errors of ssh-keygen; one that does not end has failed."""
        command = (_PROGRAM, *map(str, words))
        try:
            done = run(command, env=self._env, given=given, timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return 1, b"", str(error)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()
