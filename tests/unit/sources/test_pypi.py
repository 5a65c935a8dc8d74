"""quard.sources.pypi: which indexes pip uses here, and where a file is at them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import Reply, Server

from quard.sources import pypi
from quard.sources.attempt import Failed, Limits
from quard.sources.mirrors import Locations

LIMITS = Limits(connect=2, read=2, attempts=1, pause=0)
PAGE = b"""<!DOCTYPE html><html><body>
<a href="../../files/two-1.tar.gz#sha256=00">two-1.tar.gz</a> <a>no link</a>
<a href="https://elsewhere.example/a%2Bb-1.tar.gz">a+b-1.tar.gz</a>
</body></html>"""


@pytest.fixture(autouse=True)
def own_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give pip a configuration of the test's own; nothing is asked at the machine's indexes."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "pip.conf"
    config.write_text("")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path))
    pypi.indexes.cache_clear()
    yield config
    pypi.indexes.cache_clear()


def asked(path: str, *near: str, offline: bool = False) -> tuple[str, ...]:
    return tuple(pypi.addresses(path, near, LIMITS, offline=offline))


def test_the_indexes_are_those_of_pips_configuration(own_pip: Path) -> None:
    own_pip.write_text(
        "[global]\nindex-url = https://one/simple\nextra-index-url =\n  a://b\n  c://d\n"
    )
    assert pypi.indexes() == ("https://one/simple", "a://b", "c://d")


def test_the_environment_comes_before_the_file(
    own_pip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_pip.write_text("[global]\nindex-url = https://one/simple\nextra-index-url = a://b\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://two/simple")
    assert pypi.indexes() == ("https://two/simple", "a://b")


@pytest.mark.parametrize("before", [True, False])
def test_the_order_in_which_pip_lists_settings_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, own_pip: Path, *, before: bool
) -> None:
    own_pip.touch()
    lines = [
        ":env:.extra-index-url='e://f'",
        "download.index-url='https://two/simple'",
        "global.extra-index-url='a://b'",
        "global.index-url='https://one/simple'",
    ]
    listed = "\n".join(lines if before else reversed(lines))
    monkeypatch.setattr(pypi, "_pip", lambda *_: listed)
    assert pypi.indexes() == ("https://two/simple", "e://f")


def test_without_a_configuration_it_is_pips_default() -> None:
    (index,) = pypi.indexes()
    assert index.startswith("https://") and index.endswith("/simple")


def test_pip_without_an_index_has_none(own_pip: Path) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    assert pypi.indexes() == ()
    with pytest.raises(Failed, match="pip has no index"):
        asked("two/two-1.tar.gz")


def test_a_page_in_html_or_json_or_a_folder_gives_the_files_address(
    server: Server, own_pip: Path, tmp_path: Path
) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    server.serve("/simple/one-two/", Reply(PAGE, headers=(("Content-Type", "text/html"),)))
    simple = f"{server.base}/simple"
    assert asked("One_Two/two-1.tar.gz", simple) == (f"{server.base}/files/two-1.tar.gz",)
    assert asked("one.two/a+b-1.tar.gz", simple) == ("https://elsewhere.example/a%2Bb-1.tar.gz",)
    page = json.dumps({"files": [{"filename": "x-1.tar.gz", "url": "/f/x-1.tar.gz"}]}).encode()
    kind = (("Content-Type", "application/vnd.pypi.simple.v1+json"),)
    server.serve("/json/x/", Reply(page, headers=kind))
    assert asked("x/x-1.tar.gz", f"{server.base}/json/") == (f"{server.base}/f/x-1.tar.gz",)
    (tmp_path / "index/x").mkdir(parents=True)
    (tmp_path / "index/x/x-1.tar.gz").touch()
    near = (tmp_path / "index").as_uri()
    assert asked("x/x-1.tar.gz", near, offline=True) == (f"{near}/x/x-1.tar.gz",)


def test_every_index_is_named_with_what_it_said(server: Server, own_pip: Path) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    server.serve("/broken/x/", Reply(b"{", headers=(("Content-Type", "application/json"),)))
    server.serve("/other/x/", Reply(PAGE))
    near = tuple(f"{server.base}/{name}" for name in ("none", "broken", "other"))
    with pytest.raises(Failed) as caught:
        asked("x/x-1.tar.gz", *near)
    text = str(caught.value)
    for said in (
        "/none/x/: HTTP 404",
        "/broken/x/: its answer is not",
        "/other/x/: has no x-1.tar",
    ):
        assert said in text


NO_INDEX = "its answer is not that of an index"
JSON = (("Content-Type", "application/vnd.pypi.simple.v1+json"),)


@pytest.mark.parametrize(
    "url", ["git+https://h/r#commit=--output=x", "git+ext::sh -c true#commit=1", "file:///etc/x"]
)
def test_an_index_on_the_network_gives_no_address_that_runs_a_program_or_reads_this_machine(
    server: Server, own_pip: Path, url: str
) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    page = json.dumps({"files": [{"filename": "x-1.tar.gz", "url": url}]}).encode()
    server.serve("/simple/x/", Reply(page, headers=JSON))
    with pytest.raises(Failed, match="gives an address that is not one for files"):
        asked("x/x-1.tar.gz", f"{server.base}/simple")


@pytest.mark.parametrize(
    ("page", "headers", "said"),
    [
        (b'<a href="https://[bad/x-1.tar.gz">x</a>', (), NO_INDEX),
        # Python 3.14 reads it as browsers do, as a comment.
        (b'<![unknown[ <a href="x-1.tar.gz">x</a>', (), f"{NO_INDEX}|has no x-1"),
        (b"[" * 200_000, JSON, NO_INDEX),
        (b'{"files": [{"filename": "x-1.tar.gz", "url": "https://[bad"}]}', JSON, NO_INDEX),
        (b'{"files": {"x": 1}}', JSON, NO_INDEX),
    ],
    ids=["bad link", "bad markup", "deep", "bad address", "other form"],
)
def test_a_page_that_is_none_is_a_failure_of_this_index_alone(
    server: Server, own_pip: Path, page: bytes, headers: tuple[tuple[str, str], ...], said: str
) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    server.serve("/bad/x/", Reply(page, headers=headers))
    server.serve("/good/x/", Reply(b'<a href="x-1.tar.gz">x</a>'))
    found = asked("x/x-1.tar.gz", f"{server.base}/bad", f"{server.base}/good")
    assert found == (f"{server.base}/good/x/x-1.tar.gz",)
    with pytest.raises(Failed, match=said):
        asked("x/x-1.tar.gz", f"{server.base}/bad")


def test_a_folder_named_pip_where_a_run_begins_is_not_run(
    own_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_pip.write_text("[global]\nindex-url = https://one/simple\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/pip.py").write_text("print(\"global.index-url='https://evil/simple'\")\n")
    monkeypatch.chdir(tmp_path / "tree")
    assert pypi.indexes() == ("https://one/simple",)


def test_an_index_of_the_settings_is_asked_and_offline_none_on_the_network(
    server: Server, own_pip: Path
) -> None:
    own_pip.write_text("[global]\nno-index = true\n")
    server.serve("/simple/two/", Reply(PAGE))
    where = Locations(sites={"pypi": (f"{server.base}/simple",)})
    assert where.expand("pypi:two/two-1.tar.gz") == (f"{server.base}/files/two-1.tar.gz",)
    count = len(server.requests)
    with pytest.raises(Failed, match="not tried: offline"):
        asked("two/two-1.tar.gz", f"{server.base}/simple", offline=True)
    assert len(server.requests) == count
