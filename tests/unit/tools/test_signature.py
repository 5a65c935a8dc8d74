"""quard.tools.signature: gpgv and sqv accept the same signed texts, and refuse the same others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from debian_archive import clear_signed, sign, signing_key

from quard.base.errors import QuardError
from quard.tools import content, signature

TEXT = "Codename: one\n- dashes -\n--more\nends with spaces  \t\nVersion: 1.2\n"
READ = "Codename: one\n- dashes -\n--more\nends with spaces\nVersion: 1.2"
SECONDS = 120


def fetched(folder: Path) -> str:
    """Return the sqv of this machine's release, unpacked into a folder, or why there is none."""
    words = ("apt-get", "download", "sqv")
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        pytest.skip(f"this machine has no sqv, and it cannot be fetched: {fault}")
    found = sorted(folder.glob("sqv_*.deb"))
    if not found:
        pytest.skip(f"this machine has no sqv, and it cannot be fetched: {done.stderr.strip()}")
    (folder / "unpacked").mkdir()
    content.unpack(found[0], folder / "unpacked")
    program = folder / "unpacked/usr/bin/sqv"
    works = subprocess.run((program, "--version"), capture_output=True, text=True, check=False)
    if works.returncode:
        pytest.skip(f"sqv was fetched and does not run here: {works.stderr.strip()}")
    return str(program)


@pytest.fixture(scope="module", params=["gpgv", "sqv"])
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one verifier and nothing else, for PATH."""
    name: str = request.param
    if not shutil.which("gpg"):
        pytest.skip("this machine has no gpg to make a signature")
    found = shutil.which(name)
    if found is None and name == "sqv":
        found = fetched(tmp_path_factory.mktemp("sqv"))
    if found is None:
        pytest.skip(f"this machine has no {name}")
    folder = tmp_path_factory.mktemp(name)
    (folder / name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def keys() -> Iterator[tuple[bytes, Path, Path]]:
    """A signed text, the keyring that has its key, and one that does not."""
    with signing_key() as (folder, keyring), signing_key() as (_, stranger):
        yield sign(TEXT, folder), keyring, stranger


@pytest.fixture
def verified(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes, Path], signature.Signed]:
    """Reads a signed text with only that verifier on this machine."""

    def read(text: bytes, keyring: Path) -> signature.Signed:
        file = tmp_path / "InRelease"
        file.write_bytes(text)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(programs))
            return signature.read(file, "here", (keyring,))

    return read


Verify = Callable[[bytes, Path], signature.Signed]
Keys = tuple[bytes, Path, Path]


def test_a_right_signature_is_accepted(verified: Verify, keys: Keys) -> None:
    signed, keyring, _ = keys
    found = verified(signed, keyring)
    lines = [line.rstrip() for line in found.text.rstrip("\n").split("\n")]
    assert ("\n".join(lines), found.unchecked) == (READ, "")


def test_line_ends_of_another_system_change_nothing(verified: Verify, keys: Keys) -> None:
    signed, keyring, _ = keys
    assert "\nVersion: 1.2" in verified(signed.replace(b"\n", b"\r\n"), keyring).text


def test_only_the_signed_text_is_read(verified: Verify, keys: Keys) -> None:
    """Text behind the signed part is nobody's."""
    signed, keyring, _ = keys
    assert "Version: 9" not in verified(signed + b"Version: 9\n", keyring).text


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "changed": lambda signed: signed.replace(b"Version: 1.2", b"Version: 1.3"),
    "longer": lambda signed: signed.replace(b"Version: 1.2", b"Version: 1.2\nMore: 1"),
    "a damaged signature": lambda signed: (
        signed[: signed.index(b"SIGNATURE-----") + 40]
        + b"AAAA"
        + signed[signed.index(b"SIGNATURE-----") + 44 :]
    ),
    "without a signature": lambda signed: (
        clear_signed("Codename: one\nVersion: 1.2") if signed else b""
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_wrong_signature_is_refused(verified: Verify, keys: Keys, kind: str) -> None:
    signed, keyring, _ = keys
    with pytest.raises(QuardError) as caught:
        verified(CHANGES[kind](signed), keyring)
    assert caught.value.reason == "bad-signature"
    assert caught.value.detail.startswith("here\n")
    assert str(keyring) in caught.value.hint


def test_the_signature_of_somebody_else_is_refused(verified: Verify, keys: Keys) -> None:
    signed, _, stranger = keys
    with pytest.raises(QuardError) as caught:
        verified(signed, stranger)
    assert caught.value.reason == "bad-signature"


def test_a_text_that_is_cut_off_is_refused(verified: Verify, keys: Keys) -> None:
    signed, keyring, _ = keys
    with pytest.raises(QuardError) as caught:
        verified(signed.partition(b"-----BEGIN PGP SIGNATURE")[0], keyring)
    assert caught.value.reason in ("bad-signature", "bad-tools-index")


@pytest.mark.usefixtures("programs")
def test_without_a_keyring_nothing_is_checked(verified: Verify, keys: Keys, tmp_path: Path) -> None:
    found = verified(keys[0], tmp_path / "none.gpg")
    assert found.unchecked == "this machine has no keyring of Debian"
    assert found.text == READ


def test_without_a_verifier_nothing_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "InRelease"
    file.write_bytes(clear_signed("Codename: one"))
    monkeypatch.setenv("PATH", str(tmp_path))
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    found = signature.read(file, "here", (keyring,))
    assert (found.text, found.unchecked) == (
        "Codename: one",
        "this machine has no gpgv and no sqv",
    )
