"""quard.remote.s3: a bucket whose server checks the signatures of requests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import bucket
import cache_server
import pytest
from bucket import Bucket

from quard.remote.credentials import Credentials
from quard.remote.http_cache import HttpCache
from quard.remote.link import Limits, Link, Unusable

KEY, EMPTY = "1" * 64, "2" * 64


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with bucket.running(tmp_path_factory.mktemp("bucket") / "server") as found:
        yield found


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person who runs the tests has for AWS is not used."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


class Cache(HttpCache):
    """The bucket as a cache, which writes down what it says."""

    def __init__(self, place: Bucket) -> None:
        self.said: list[str] = []
        link = Link("the cache at HOST", self.said.append, Limits(attempts=1))
        super().__init__(place.address, Credentials(region=bucket.REGION), link)

    def blob(self, sha256: str, size: int) -> bytes | None:
        out = io.BytesIO()
        return out.getvalue() if self.get(sha256, size, out) else None


def use(place: Bucket, monkeypatch: pytest.MonkeyPatch, **others: str) -> Cache:
    """Return the cache for a user whose credentials are in the environment."""
    for name, value in {**place.environment, **others}.items():
        monkeypatch.setenv(name, value)
    return Cache(place)


def test_results_are_sent_to_a_bucket_and_read_from_it(
    place: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blob").write_bytes(b"bytes" * 100_000)
    (tmp_path / "empty").touch()
    cache = use(place, monkeypatch)
    assert cache.entry(KEY) is None
    assert cache.put({KEY: tmp_path / "blob", EMPTY: tmp_path / "empty"})
    assert cache.put_entry(KEY, b"a result")
    assert place.names() == [f"team/ac/{KEY}", f"team/cas/{KEY}", f"team/cas/{EMPTY}"]
    assert cache.entry(KEY) == b"a result"
    assert cache.missing({KEY: 500_000, EMPTY: 0, "3" * 64: 5}) == {"3" * 64}
    assert (cache.blob(KEY, 500_000), cache.blob(EMPTY, 0)) == (b"bytes" * 100_000, b"")
    assert cache.said == []


def test_credentials_come_from_a_profile_as_well(
    place: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(
        f"[ci]\naws_access_key_id={place.key}\naws_secret_access_key={place.secret}\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "ci")
    assert Cache(place).put_entry("4" * 64, b"a result")


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_who_may_not_write_is_refused_by_the_server(
    place: Bucket, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    cache = use(place, monkeypatch, **{wrong: "AKIA0000000000000000"})
    assert not cache.put_entry("5" * 64, b"a result")
    assert "HTTP 403" in cache.link.read_only
    assert f"team/ac/{'5' * 64}" not in place.names()


def test_a_machine_without_credentials_reads_what_everybody_may_read() -> None:
    with cache_server.running() as state:
        state.files[f"/ac/{KEY}"] = b"a result"
        link = Link("the cache at HOST", lambda _line: None, Limits(attempts=1))
        cache = HttpCache(state.base, Credentials(region=bucket.REGION), link)
        assert cache.entry(KEY) == b"a result"
    (sent,) = state.headers
    assert "authorization" not in {name.lower() for name in sent}


def test_a_profile_that_cannot_be_used_is_told_once(
    place: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    cache = Cache(place)
    for _ in range(2):
        with pytest.raises(Unusable):
            cache.entry(KEY)
    (line,) = cache.said
    assert "the credentials for S3 cannot be used" in line and "missing" in line
