"""quard.remote.signatures: whose results are taken, with real keys of OpenSSH."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cache_server
import pytest
import reapi_server
from cache_machine import KEY, Machine
from cache_server import CacheServer

from quard.base.errors import QuardError
from quard.remote import action
from quard.remote.signatures import NAMESPACE, Signatures
from quard.store.record import encode_record

PATH = os.environ["PATH"]
DATA = b"a record" * 1000


@pytest.fixture
def make_key(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, passphrase: str = "") -> Path:
        path = tmp_path / name
        words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", path)
        subprocess.run(words, check=True)
        return path

    return make


def trusting(folder: Path, *keys: Path, options: str = "") -> Path:
    """Write a list of allowed signers."""
    path = folder / "allowed"
    lines = (f"ci@example.org {options} {key.with_suffix('.pub').read_text()}" for key in keys)
    path.write_text("# the team's\n" + "".join(lines))
    return path


@pytest.fixture
def key(make_key: Callable[..., Path]) -> Path:
    return make_key("one")


def test_a_signature_of_a_trusted_key_is_accepted(tmp_path: Path, key: Path) -> None:
    signed = Signatures(None, key, PATH, "").sign(DATA)
    reader = Signatures(trusting(tmp_path, key), None, PATH, "")
    assert reader.accepts(DATA, signed)
    assert not reader.accepts(DATA + b"x", signed)
    assert not reader.accepts(DATA, b"")
    assert not reader.accepts(DATA, b"-----BEGIN SSH SIGNATURE-----\nAAAA\n")
    assert not reader.accepts(DATA, signed[: len(signed) // 2])


def test_a_signature_of_another_key_is_not(
    tmp_path: Path, key: Path, make_key: Callable[..., Path]
) -> None:
    signed = Signatures(None, make_key("other"), PATH, "").sign(DATA)
    assert not Signatures(trusting(tmp_path, key), None, PATH, "").accepts(DATA, signed)


def test_a_signature_for_another_purpose_is_not(tmp_path: Path, key: Path) -> None:
    """A key that signs commits as well must not vouch for a record by that."""
    words = ("ssh-keygen", "-Y", "sign", "-n", "git", "-f", key)
    done = subprocess.run(words, input=DATA, capture_output=True, check=True)
    assert not Signatures(trusting(tmp_path, key), None, PATH, "").accepts(DATA, done.stdout)
    assert NAMESPACE != "git"


def test_the_list_may_limit_what_a_key_is_for(tmp_path: Path, key: Path) -> None:
    signed = Signatures(None, key, PATH, "").sign(DATA)
    only = trusting(tmp_path, key, options='namespaces="git"')
    assert not Signatures(only, None, PATH, "").accepts(DATA, signed)
    ours = trusting(tmp_path, key, options=f'namespaces="{NAMESPACE}"')
    assert Signatures(ours, None, PATH, "").accepts(DATA, signed)
    ended = trusting(tmp_path, key, options='valid-before="20200101"')
    assert not Signatures(ended, None, PATH, "").accepts(DATA, signed)


def test_without_a_list_everything_is_accepted_and_without_a_key_nothing_is_signed() -> None:
    plain = Signatures(None, None, "/nowhere", "")
    plain.require()
    assert plain.accepts(DATA, b"") and plain.sign(DATA) == b""


def test_a_key_with_a_passphrase_is_one_error(make_key: Callable[..., Path]) -> None:
    signer = Signatures(None, make_key("locked", "secret"), PATH, "")
    with pytest.raises(QuardError) as caught:
        signer.sign(DATA)
    assert caught.value.reason == "cannot-sign"


def test_a_machine_without_openssh_is_one_error(key: Path) -> None:
    with pytest.raises(QuardError) as caught:
        Signatures(None, key, "/nowhere", "").require()
    assert caught.value.reason == "tool-missing"


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


@pytest.fixture(params=[cache_server.running, reapi_server.running], ids=["http", "grpc"])
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server."""
    with request.param() as found:
        yield found.base


def test_machines_that_trust_a_key_take_its_results_alone(
    base: str, tmp_path: Path, key: Path, make_key: Callable[..., Path]
) -> None:
    allowed = trusting(tmp_path, key)
    stranger = Machine(tmp_path / "a", base, key=make_key("stranger"))
    stranger.build()
    stranger.remote.finish()
    reader = Machine(tmp_path / "b", base, trusted=allowed)
    assert reader.stores.record(KEY) is None
    assert reader.stores.record(KEY) is None
    assert len(reader.said) == 1
    assert "without a signature that cache.trust accepts" in reader.said[0]
    team = Machine(tmp_path / "c", base, trusted=allowed, key=key)
    record = team.build()
    assert team.remote.finish().startswith("sent 1 results"), "it replaces the stranger's"
    assert Machine(tmp_path / "d", base, trusted=allowed).stores.record(KEY) == record


def test_a_signature_covers_every_digest(state: CacheServer, tmp_path: Path, key: Path) -> None:
    team = Machine(tmp_path / "a", state.base, key=key)
    record = team.build()
    team.remote.finish()
    _, sizes, signature = action.decode(state.files[f"/ac/{KEY}"])
    blobs = {**record["blobs"], "libs": record["blobs"]["log"]}
    forged = encode_record(KEY, {**record, "blobs": blobs})
    named = {"libs": blobs["libs"]}
    state.files[f"/ac/{KEY}"] = action.encode(forged, named, sizes, signature)
    assert Machine(tmp_path / "c", state.base).stores.record(KEY), "only its signature is wrong"
    reader = Machine(tmp_path / "b", state.base, trusted=trusting(tmp_path, key))
    assert reader.stores.record(KEY) is None
    assert len(reader.said) == 1 and "signature" in reader.said[0]


@pytest.mark.parametrize("later", [False, True], ids=["at once", "from the store"])
def test_a_result_of_a_worker_is_sent_without_a_signature(
    state: CacheServer, tmp_path: Path, key: Path, later: bool
) -> None:
    """The owner of the key has not built it."""
    one = Machine(tmp_path / "a", state.base, push=not later, key=key)
    record = one.build(worker="a worker")
    if later:
        one = Machine(tmp_path / "a", state.base, key=key)
        one.stores.share(KEY, one.stores.record(KEY) or {})
    assert one.remote.finish().startswith("sent 1 results")
    raw, _, signature = action.decode(state.files[f"/ac/{KEY}"])
    assert raw == encode_record(KEY, record) and signature == b""
    reader = Machine(tmp_path / "b", state.base, trusted=trusting(tmp_path, key))
    assert reader.stores.record(KEY) is None


def test_a_key_that_cannot_sign_is_one_line_and_nothing_is_sent(
    state: CacheServer, tmp_path: Path, make_key: Callable[..., Path]
) -> None:
    one = Machine(tmp_path / "a", state.base, key=make_key("locked", "secret"))
    one.build()
    assert one.remote.finish() == ""
    assert len(one.said) == 1 and "nothing more is sent to the cache" in one.said[0]
    assert not any(path.startswith("/ac") for path in state.files)


def test_a_program_that_does_not_end_accepts_nothing(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/ssh-keygen"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr("quard.remote.signatures._SECONDS", 0.2)
    monkeypatch.setenv("PATH", f"{program.parent}:{PATH}")
    reader = Signatures(trusting(tmp_path, key), None, os.environ["PATH"], "")
    assert not reader.accepts(DATA, b"signed")
