"""Features that a board wants if available: decided once, written down, decided anew in time."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stamps import written

from quard.base.errors import QuardError
from quard.face.progress import Lines
from quard.plan.source import Request, Variant
from quard.sources import availability
from quard.sources.archives import Archives
from quard.sources.attempt import Limits
from quard.sources.availability import Availability, Decision, Question
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations

CONTENT = b"an archive"
SHA = hashlib.sha256(CONTENT).hexdigest()
OFF = Decision(
    package="ethtool",
    feature="netlink",
    on=False,
    missing=("libmnl",),
    tried=("wanted: libmnl-1.tar.bz2, sha256 ab", "https://x/y: 404", "https://x/z: 404"),
    supply=("libmnl-1.tar.bz2  sha256 ab",),
    places="p",
)


class Server:
    """A web server with a folder of files; it notes what it is asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    made = Server()
    yield made
    made.close()


def content(name: str) -> bytes:
    """Return the source of a package."""
    return CONTENT if name == "mnl" else name.encode()


def digest(name: str) -> str:
    return hashlib.sha256(content(name)).hexdigest()


class Site:
    """One checkout's cache and record, and runs in it one after the other."""

    def __init__(self, root: Path, server: Server) -> None:
        self.record = root / "out/one/availability.json"
        self.cache = root / "cache"
        self.folder = root / "folder"
        self.folder.mkdir()
        self.server = server
        self.notes: list[str] = []
        self.mirrors: tuple[str, ...] = ()
        self.offline = False

    def request(self, name: str) -> Request:
        return Request(
            name, (Variant(f"{name}.tar", digest(name), (f"{self.server.url}/{name}.tar",)),)
        )

    def question(self, *names: str) -> Question:
        return Question("ethtool", "netlink", tuple(self.request(n) for n in names or ("mnl",)))

    def run(
        self, *questions: Question, again: bool = False, whole: bool = True
    ) -> tuple[Decision, ...]:
        """Decide as a new run of the build does."""
        self.notes = []
        self.server.asked.clear()
        locations = Locations((self.folder,), self.mirrors, self.offline)
        limits = Limits(connect=2, read=2, attempts=1, pause=0)
        fetcher = Fetcher(self.cache, locations, Lines(io.StringIO()), limits=limits)
        places = {"mirrors": self.mirrors, "offline": self.offline}
        keeper = Availability(
            self.record, Archives(self.cache, locations.folders), lambda: fetcher, places
        )
        asked = questions or ((self.question(),) if whole else ())
        return keeper.decide(asked, again=again, whole=whole, note=self.notes.append)

    def on(self, *questions: Question, again: bool = False) -> bool:
        (decision,) = self.run(*questions, again=again)
        return decision.on


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Site:
    return Site(tmp_path, server)


def test_a_source_that_can_be_had_turns_the_feature_on_and_is_kept(site: Site) -> None:
    site.server.files["/mnl.tar"] = CONTENT
    (decision,) = site.run()
    assert decision == Decision("ethtool", "netlink", on=True, places=decision.places)
    assert decision.key == ("ethtool", "netlink")
    assert (site.cache / SHA / "mnl.tar").read_bytes() == CONTENT
    assert site.notes == ["looking for the source of mnl"]


def test_a_verified_source_is_not_looked_for_again(site: Site) -> None:
    site.server.files["/mnl.tar"] = CONTENT
    site.run()
    assert site.on()
    assert (site.notes, site.server.asked) == ([], [])


def test_a_source_that_cannot_be_had_turns_it_off_and_says_what_was_tried(site: Site) -> None:
    (decision,) = site.run()
    assert not decision.on
    assert decision.missing == ("mnl",)
    assert any(f"{site.server.url}/mnl.tar: " in line for line in decision.tried)
    assert decision.supply == (f"mnl.tar  sha256 {SHA}",)
    assert site.server.asked


def test_a_source_that_cannot_be_had_is_asked_for_once(site: Site) -> None:
    first = site.run()
    second = site.run()
    assert second == first
    assert (site.notes, site.server.asked) == ([], [])


def test_asking_again_finds_what_has_appeared_at_the_address(site: Site) -> None:
    site.run()
    site.server.files["/mnl.tar"] = CONTENT
    assert not site.on()
    assert site.on(again=True)
    assert site.on()


def test_a_file_put_into_the_cache_turns_it_on(site: Site) -> None:
    site.run()
    (site.cache / "mnl.tar").write_bytes(CONTENT)
    assert site.on()
    assert site.server.asked == []


def test_a_file_put_into_the_users_folder_turns_it_on(site: Site) -> None:
    site.run()
    (site.folder / "mnl.tar").write_bytes(CONTENT)
    assert site.on()
    assert site.server.asked == []


def test_a_file_with_a_mirrors_name_for_it_will_do(site: Site) -> None:
    bytes_ = Variant("mnl.tar", SHA, (f"{site.server.url}/pool/mnl_1.orig.tar",))
    question = Question("ethtool", "netlink", (Request("mnl", (bytes_,)),))
    assert not site.on(question)
    (site.folder / "mnl_1.orig.tar").write_bytes(CONTENT)
    assert site.on(question)


def test_a_wrong_file_turns_nothing_on(site: Site) -> None:
    site.run()
    (site.cache / "mnl.tar").write_bytes(b"something else")
    assert not site.on()
    assert site.server.asked == []


def test_new_places_to_look_are_looked_at(site: Site) -> None:
    site.run()
    site.server.files["/pub/mnl.tar"] = CONTENT
    site.mirrors = (f"{site.server.url}/pub",)
    assert site.on()


def test_coming_back_on_line_asks_again(site: Site) -> None:
    site.server.files["/mnl.tar"] = CONTENT
    site.offline = True
    assert not site.on()
    assert site.server.asked == []
    site.offline = False
    assert site.on()


def test_a_new_hash_or_address_in_the_recipe_asks_again(site: Site) -> None:
    site.run()
    other = dataclasses.replace(
        site.question(),
        requests=(Request("mnl", (Variant("mnl.tar", SHA, (f"{site.server.url}/new.tar",)),)),),
    )
    site.server.files["/new.tar"] = CONTENT
    assert site.on(other)


def test_a_cleaned_cache_changes_no_answer_and_asks_nobody(site: Site) -> None:
    site.server.files["/mnl.tar"] = CONTENT
    site.run()
    (site.cache / SHA / "mnl.tar").unlink()
    del site.server.files["/mnl.tar"]
    assert site.on()
    assert site.server.asked == []


def test_of_several_sources_each_must_be_had_and_only_the_missing_is_named(site: Site) -> None:
    site.server.files["/a.tar"] = content("a")
    (decision,) = site.run(site.question("a", "b"))
    assert (decision.on, decision.missing) == (False, ("b",))
    assert decision.supply == (f"b.tar  sha256 {digest('b')}",)


def test_one_missing_source_of_several_is_asked_for_once(site: Site) -> None:
    site.server.files["/a.tar"] = content("a")
    assert not site.on(site.question("a", "b"))
    assert "/b.tar" in site.server.asked
    assert not site.on(site.question("a", "b"))
    assert site.server.asked == []


def test_a_feature_that_needs_no_source_is_on(site: Site) -> None:
    assert site.on(Question("ethtool", "netlink", ()))


def test_bytes_of_another_hash_turn_it_off(site: Site) -> None:
    site.server.files["/mnl.tar"] = b"something else"
    (decision,) = site.run()
    assert not decision.on
    assert any("another file than expected" in line for line in decision.tried)


def test_a_cache_that_cannot_be_written_is_an_error_and_no_answer(site: Site) -> None:
    """Otherwise a full disk would quietly take a feature out of the image."""
    site.server.files["/mnl.tar"] = CONTENT
    site.cache.write_text("a file where the folder should be")
    with pytest.raises(QuardError) as caught:
        site.run()
    assert caught.value.reason == "cache-unusable"
    assert not site.record.exists()


def test_each_question_has_its_own_answer_in_order(site: Site) -> None:
    site.server.files["/a.tar"] = content("a")
    one = dataclasses.replace(site.question("a"), package="one")
    two = dataclasses.replace(site.question("b"), package="two")
    assert [(d.package, d.on) for d in site.run(one, two)] == [("one", True), ("two", False)]
    assert [(d.package, d.on) for d in site.run(two, one)] == [("two", False), ("one", True)]


def test_the_record_is_readable_and_says_the_answer_again(site: Site) -> None:
    decisions = site.run()
    (found,) = json.loads(site.record.read_text())["decisions"]
    assert found["on"] is False
    assert found["missing"] == ["mnl"]
    assert availability.recorded(site.record) == decisions


def test_an_unchanged_record_is_not_written_again(site: Site) -> None:
    site.run()
    before = written(site.record)
    site.run()
    assert written(site.record) == before
    assert list(site.record.parent.iterdir()) == [site.record]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b"null", b'["x"]', b"[{}]", b'[{"package": 1}]', b"\xff", b"[[]]"],
)
def test_a_damaged_record_is_no_record(site: Site, content: bytes) -> None:
    site.record.parent.mkdir(parents=True)
    site.record.write_bytes(content)
    assert availability.recorded(site.record) == ()
    assert not site.on()
    assert site.server.asked


def test_without_a_record_nothing_is_known(tmp_path: Path) -> None:
    assert availability.recorded(tmp_path / "no.json") == ()


def test_the_block_says_what_is_off_what_was_tried_and_how_to_supply_it() -> None:
    text = availability.block(OFF, Path("/cache"))
    assert text.startswith(
        "note: ethtool is built without netlink: the source of libmnl is not available\n"
    )
    for line in (
        "  tried https://x/y: 404",
        "  tried https://x/z: 404",
        "  wanted: libmnl-1.tar.bz2  sha256 ab",
    ):
        assert line in text.splitlines()
    assert "put the file into /cache\n" in text
    assert '[override] libmnl = "path"' in text
    assert "./scons source" in text
    assert "STRICT=1" in text
    assert text.count("sha256 ab") == 1


def test_strict_makes_it_an_error_with_the_same_facts() -> None:
    error = availability.strict(OFF, Path("/cache"))
    assert error.reason == "feature-unavailable"
    assert error.message == (
        "ethtool is built without netlink: the source of libmnl is not available"
    )
    assert "tried https://x/y: 404" in error.detail
    assert "wanted: libmnl-1.tar.bz2  sha256 ab" in error.detail
    assert "STRICT" in error.hint
    assert "note:" not in error.block()


def test_what_is_not_asked_about_keeps_its_answer_only_where_it_may_still_matter(
    site: Site,
) -> None:
    site.run()
    other = Question("zlib", "fast", ())
    assert [decision.key for decision in site.run(other, whole=False)] == [("zlib", "fast")]
    kept = {decision.key: decision.on for decision in availability.recorded(site.record)}
    assert kept == {("ethtool", "netlink"): False, ("zlib", "fast"): True}
    assert site.run(whole=False) == ()
    assert {decision.key for decision in availability.recorded(site.record)} == set(kept)
    site.run(other)
    assert {decision.key for decision in availability.recorded(site.record)} == {("zlib", "fast")}
