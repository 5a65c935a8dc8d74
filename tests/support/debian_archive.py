"""A small archive of a Debian release, made by a test and served over HTTP."""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from deb_parts import deb, file
from faulty_server import Reply, Server

MACHINES = ("amd64", "arm64")
DATE = "Sat, 01 Feb 2020 09:15:44 UTC"
"""Of the signed list, as a Release file has it."""


def paragraph(name: str, version: str = "1", **fields: str) -> str:
    """Return a package's paragraph of an index; Pre_Depends stands for Pre-Depends."""
    found = {
        "Package": name,
        "Version": version,
        "Filename": f"pool/main/{name}_{version.replace(':', '')}.deb",
        "Size": "1",
        "SHA256": hashlib.sha256(f"{name} {version}".encode()).hexdigest(),
    }
    found |= {key.replace("_", "-"): value for key, value in fields.items()}
    return "".join(f"{key}: {value}\n" for key, value in found.items())


def clear_signed(text: str) -> bytes:
    """Return a text in the form of a signed one, without a signature that anybody could check."""
    armor = "-----BEGIN PGP SIGNATURE-----\n\nbm9uZQ==\n-----END PGP SIGNATURE-----\n"
    return f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n{armor}".encode()


@dataclass
class Debian:
    """What the archive has: packages by name, each with its index fields and its commands."""

    server: Server
    codename: str = "one"
    date: str = DATE
    until: str = ""
    folder: str = "debian"
    by_hash: bool = True
    debs: dict[str, bytes] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"{self.server.base}/{self.folder}"

    def add(
        self,
        name: str,
        *files: str,
        version: str = "1",
        programs: Mapping[str, bytes] = MappingProxyType({}),
        **fields: str,
    ) -> None:
        """Add a package with these files, or replace it.

        programs -- path -> content of further files
        """
        contents = {path: f"{name} {version}".encode() for path in files} | {**programs}
        self.debs[name] = deb(*(file(f"./{path}", text, 0o755) for path, text in contents.items()))
        self.fields[name] = {"version": version, **fields}

    def publish(self, sign: Path | None = None, **changed: bytes) -> None:
        """Serve everything.

        sign    -- GnuPG folder with the key that signs; None: nobody can check the signature
        changed -- content of indexes by machine, in place of what the list of the release says
        """
        for name, whole in self.debs.items():
            self._serve(self._entry(name)["Filename"], whole)
        text = "".join(f"{self.paragraphs(name)}\n" for name in sorted(self.debs))
        lines = [f"Codename: {self.codename}", "Version: 1.2"]
        lines += [f"Date: {self.date}"] * bool(self.date)
        lines += [f"Valid-Until: {self.until}"] * bool(self.until)
        lines += ["Acquire-By-Hash: yes"] * self.by_hash + ["SHA256:"]
        for preset, machine in enumerate(MACHINES):
            index = lzma.compress(text.encode(), preset=preset)  # no two are the same file
            sha256 = hashlib.sha256(index).hexdigest()
            path = f"main/binary-{machine}/Packages.xz"
            lines.append(f" {sha256} {len(index)} {path}")
            sent = changed.get(machine, index)
            self._serve(f"dists/one/{path}", sent)
            if self.by_hash:
                self._serve(f"dists/one/main/binary-{machine}/by-hash/SHA256/{sha256}", sent)
        release = "\n".join(lines) + "\n"
        self._serve("dists/one/InRelease", _signed_by(sign, release))

    def paragraphs(self, name: str) -> str:
        return paragraph(name, **self._entry(name))

    def place(self, name: str) -> str:
        """Return the path at which the server has a package."""
        return f"/{self.folder}/{self._entry(name)['Filename']}"

    def _entry(self, name: str) -> Mapping[str, str]:
        fields = self.fields[name]
        whole = self.debs[name]
        return {
            "Filename": f"pool/main/{name}_{fields['version']}.deb",
            "Size": str(len(whole)),
            "SHA256": hashlib.sha256(whole).hexdigest(),
            **fields,
        }

    def _serve(self, path: str, content: bytes) -> None:
        self.server.serve(f"/{self.folder}/{path}", Reply(content, etag=f'"{len(content)}"'))


@contextmanager
def signing_key() -> Iterator[tuple[Path, Path]]:
    """Yield a GnuPG folder with a key that signs, and the keyring that checks it.

    The folder has a short path, since a socket is made in it; its agent ends with the block.
    """
    with tempfile.TemporaryDirectory(prefix="gpg-") as place:
        folder = Path(place)
        gpg = ("gpg", "--homedir", place, "--batch", "--quiet")
        make = ("--passphrase", "", "--quick-generate-key", "one@example.org", "ed25519", "sign")
        try:
            subprocess.run((*gpg, *make), check=True, capture_output=True)
            exported = subprocess.run((*gpg, "--export"), check=True, capture_output=True)
            (folder / "keyring.gpg").write_bytes(exported.stdout)
            yield folder, folder / "keyring.gpg"
        finally:
            kill = ("gpgconf", "--homedir", place, "--kill", "all")
            subprocess.run(kill, check=True, capture_output=True)


def _signed_by(folder: Path | None, text: str) -> bytes:
    return clear_signed(text) if folder is None else sign(text, folder)


def sign(text: str, folder: Path) -> bytes:
    """Return a signed text.

    folder -- GnuPG folder with the key
    """
    words = ("gpg", "--homedir", str(folder), "--batch", "--quiet", "--clear-sign")
    return subprocess.run(words, input=text.encode(), check=True, capture_output=True).stdout
