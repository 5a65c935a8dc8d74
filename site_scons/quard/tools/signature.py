"""The signed text of a Debian release, checked if a keyring of Debian and a verifier exist.

The verifiers are gpgv(1) and Sequoia's sqv(1), which apt of Debian 13 uses.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.process.starting import run

KEYRINGS = tuple(
    Path("/usr/share/keyrings/debian-archive-keyring").with_suffix(suffix)
    for suffix in (".gpg", ".pgp")
)
"""Where Debian's keyring is, on Debian and on systems that package it."""
_SIGNED = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[^\n]+\n)*\n"
    r"(?P<text>.*)\n(?P<signature>-----BEGIN PGP SIGNATURE-----\n.*)",
    re.DOTALL,
)
_DETACHED = "--signature-file"
"""Option of sqv since 1.2; the versions before take two files."""


@record
class Signed(Record):
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
    gpgv, sqv = shutil.which("gpgv"), shutil.which("sqv")
    keyring = next((path for path in keyrings if path.is_file()), None)
    if keyring is None or not (gpgv or sqv):
        missing = "keyring of Debian" if keyring is None else "gpgv and no sqv"
        return Signed(_parts(file, address)[0], f"this machine has no {missing}")
    if gpgv:
        return Signed(_by_gpgv(gpgv, keyring, file, address), "")
    assert sqv, "one of them is there"
    return Signed(_by_sqv(sqv, keyring, file, address), "")


def _by_gpgv(gpgv: str, keyring: Path, file: Path, address: str) -> str:
    """Return the text that gpgv has found a good signature for."""
    words = (gpgv, "--status-fd", "2", "--keyring", str(keyring), "--output", "-", str(file))
    answer = run(words, env=_environment(file))
    said = answer.stderr.decode("utf-8", "replace").splitlines()
    marks = [line.split()[1] for line in said if line.startswith("[GNUPG:] ")]
    if "GOODSIG" not in marks or "BADSIG" in marks:
        raise _wrong(address, keyring, (s for s in said if not s.startswith("[GNUPG:]")))
    return _decoded(answer.stdout, address)


def _by_sqv(sqv: str, keyring: Path, file: Path, address: str) -> str:
    """Return the text that sqv has found a good signature for.

    Not all of its versions read a signed text, so they get text and signature apart, as from apt.
    """
    text, signature = _parts(file, address)
    env = _environment(file)
    with tempfile.TemporaryDirectory(prefix="quard-signature-") as place:
        for name, content in (("text", text), ("signature", signature)):
            Path(place, name).write_bytes(content.encode())
        option = (_DETACHED,) if _DETACHED.encode() in run((sqv, "--help"), env=env).stdout else ()
        words = (sqv, "--keyring", str(keyring), *option, f"{place}/signature", f"{place}/text")
        answer = run(words, env=env)
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").splitlines()
        raise _wrong(address, keyring, dict.fromkeys(line.strip() for line in said))
    return text


def _environment(file: Path) -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8", "HOME": str(file.parent)}


def _wrong(address: str, keyring: Path, said: Iterable[str]) -> QuardError:
    return QuardError(
        "the signature of the Debian release is wrong",
        detail="\n".join([address, *said]),
        reason="bad-signature",
        hint="use another mirror, [tools] mirrors in local.toml; if the machine's keyring"
        f" ({keyring}) is older than the release, update it",
    )


def _parts(file: Path, address: str) -> tuple[str, str]:
    """Return the text and its signature, as RFC 9580 (section 7) puts them into one file.

    Spaces at the ends of lines are not signed, and not part of the text here.
    """
    found = _SIGNED.match(_decoded(file.read_bytes(), address))
    if found is None:
        raise unusable(address, "it is not a signed text")
    lines = found["text"].split("\n")
    text = "\n".join(line.removeprefix("- ").rstrip(" \t") for line in lines)
    return text, found["signature"]


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
