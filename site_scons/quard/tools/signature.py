"""The signed text of a Debian release, checked if gpgv(1) and a keyring of Debian exist."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from quard.base.errors import QuardError
from quard.process.starting import run

KEYRINGS = tuple(
    Path("/usr/share/keyrings/debian-archive-keyring").with_suffix(suffix)
    for suffix in (".gpg", ".pgp")
)
"""Where Debian's keyring is, on Debian and on systems that package it."""
_SIGNED = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[^\n]+\n)*\n"
    r"(?P<text>.*)\n-----BEGIN PGP SIGNATURE-----\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Signed:
    """The text of a signed file.

    unchecked -- why the signature was not checked; empty if it was
    """

    text: str
    unchecked: str


def read(file: Path, address: str, keyrings: tuple[Path, ...] = KEYRINGS) -> Signed:
    """Return the signed text of a file.

    address -- where the file comes from, for messages
    Raises QuardError bad-signature, bad-tools-index.
    """
    gpgv = shutil.which("gpgv")
    keyring = next((path for path in keyrings if path.is_file()), None)
    if gpgv is None or keyring is None:
        missing = "gpgv" if gpgv is None else "keyring of Debian"
        return Signed(_plain(file, address), f"this machine has no {missing}")
    words = (gpgv, "--status-fd", "2", "--keyring", str(keyring), "--output", "-", str(file))
    answer = run(words, env={"LC_ALL": "C.UTF-8", "HOME": str(file.parent)})
    said = answer.stderr.decode("utf-8", "replace").splitlines()
    marks = [line.split()[1] for line in said if line.startswith("[GNUPG:] ")]
    if "GOODSIG" not in marks or "BADSIG" in marks:
        raise QuardError(
            "the signature of the Debian release is wrong",
            detail="\n".join(
                [address, *(line for line in said if not line.startswith("[GNUPG:]"))]
            ),
            reason="bad-signature",
            hint="use another mirror, [tools] mirrors in local.toml; if the machine's keyring"
            f" ({keyring}) is older than the release, update it",
        )
    return Signed(_decoded(answer.stdout, address), "")


def _plain(file: Path, address: str) -> str:
    """Return the text without its signature, as RFC 9580 (section 7) writes it."""
    found = _SIGNED.match(_decoded(file.read_bytes(), address))
    if found is None:
        raise unusable(address, "it is not a signed text")
    return "\n".join(line.removeprefix("- ") for line in found["text"].split("\n"))


def _decoded(data: bytes, address: str) -> str:
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        raise unusable(address, str(fault)) from None


def unusable(address: str, why: str) -> QuardError:
    """Return the error for an index that cannot be read."""
    return QuardError(
        "the index of the Debian release cannot be used",
        detail=f"{address}: {why}",
        reason="bad-tools-index",
        hint="use another mirror: [tools] mirrors in local.toml",
    )
