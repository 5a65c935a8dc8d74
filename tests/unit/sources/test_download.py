"""quard.sources.download and part, against a real server that misbehaves."""

from __future__ import annotations

import email.utils
import hashlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ports
import pytest
import raw_server
from faulty_server import Reply, Server

from quard.sources.attempt import Failed, Limits, Stopped
from quard.sources.download import Transfer
from quard.sources.part import Part

QUICK = Limits(connect=0.3, read=0.3, attempts=4, pause=0.01, longest=0.05, worth=50_000)
BODY = hashlib.shake_128(b"body").digest(200_000)
OTHER = hashlib.shake_128(b"other").digest(200_000)


class Watch:
    """Remembers what is reported."""

    def __init__(self) -> None:
        self.starts: list[tuple[int | None, int]] = []
        self.count = 0
        self.open = 0
        self.advanced: Callable[[], None] = lambda: None

    def __call__(self, total: int | None, done: int) -> Watch:
        self.starts.append((total, done))
        self.open += 1
        return self

    def advance(self, count: int) -> None:
        self.count += count
        self.advanced()

    def close(self) -> None:
        self.open -= 1


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return Part(tmp_path / "file")


def transfer(limits: Limits = QUICK) -> tuple[Transfer, Watch, list[str], threading.Event]:
    watch, stopped = Watch(), threading.Event()
    notes: list[str] = []
    return Transfer(limits, stopped, watch, notes.append), watch, notes, stopped


def test_a_plain_answer_is_taken_as_it_is_sent(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(BODY, headers=(("Content-Encoding", "gzip"),)))
    get, watch, notes, _ = transfer()
    assert get.get(address, part) is False
    assert part.path.read_bytes() == BODY
    assert server.requests[0][1]["accept-encoding"] == "identity"
    assert (watch.starts, watch.count, watch.open) == ([(len(BODY), 0)], len(BODY), 0)
    assert notes == []


@pytest.mark.parametrize(
    ("tags", "condition"),
    [
        ({"etag": '"a"'}, '"a"'),
        ({"modified": "Sun, 22 Nov 2026 10:00:00 GMT"}, "Sun, 22 Nov 2026 10:00:00 GMT"),
        ({"etag": 'W/"a"'}, None),
    ],
)
def test_a_broken_body_is_resumed(
    server: Server, part: Part, tags: dict[str, str], condition: str | None
) -> None:
    whole = Reply(BODY, **tags)  # type: ignore[arg-type]
    address = server.serve("/f", replace(whole, break_at=70_000), whole)
    get, watch, notes, _ = transfer()
    assert get.get(address, part) is True
    assert part.path.read_bytes() == BODY
    assert server.ranges() == ["", "bytes=70000-"]
    assert server.requests[1][1].get("if-range") == condition
    assert watch.starts == [(len(BODY), 0), (len(BODY), 70_000)]
    assert len(notes) == 1
    assert "trying again" in notes[0]


def test_a_file_that_changed_in_between_is_begun_anew(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(OTHER, etag='"a"', break_at=70_000), Reply(BODY, etag='"b"'))
    get, *_ = transfer()
    assert get.get(address, part) is False
    assert part.path.read_bytes() == BODY


def test_a_server_without_ranges_makes_the_file_begin_anew(server: Server, part: Part) -> None:
    whole = Reply(BODY, etag='"a"', ranges=False)
    address = server.serve("/f", replace(whole, break_at=70_000), whole)
    get, *_ = transfer()
    assert get.get(address, part) is False
    assert part.path.read_bytes() == BODY


@pytest.mark.parametrize(
    "odd",
    [Reply(BODY, shift=7), Reply(BODY + b"more"), Reply(BODY[:10])],
    ids=["another range", "another length", "416"],
)
def test_a_range_that_does_not_fit_makes_the_file_begin_anew(
    server: Server, part: Part, odd: Reply
) -> None:
    address = server.serve("/f", Reply(BODY, break_at=70_000), odd, Reply(BODY))
    get, *_ = transfer()
    assert get.get(address, part) is False
    assert part.path.read_bytes() == BODY
    assert server.ranges() == ["", "bytes=70000-", ""]


def test_a_range_that_ends_early_is_followed_by_the_next_one(server: Server, part: Part) -> None:
    whole = Reply(BODY, etag='"a"')
    address = server.serve(
        "/f", replace(whole, break_at=70_000), replace(whole, most=50_000), whole
    )
    get, _, notes, _ = transfer()
    assert get.get(address, part) is True
    assert part.path.read_bytes() == BODY
    assert server.ranges() == ["", "bytes=70000-", "bytes=120000-"]
    assert "ended after 117.2 KiB of 195.3 KiB" in notes[1]


def test_an_end_that_only_the_chunks_show_is_not_taken_for_the_file(
    server: Server, part: Part
) -> None:
    whole = Reply(BODY, chunked=True)
    address = server.serve("/f", replace(whole, break_at=70_000), whole)
    get, watch, *_ = transfer()
    get.get(address, part)
    assert part.path.read_bytes() == BODY
    assert watch.starts[0] == (None, 0)


def test_progress_is_worth_further_attempts(server: Server, part: Part) -> None:
    body = BODY * 5
    address = server.serve("/f", Reply(body, break_at=60_000))
    get, *_ = transfer()
    get.get(address, part)
    assert part.path.read_bytes() == body
    assert len(server.requests) == 17  # 1,000,000 bytes in pieces of 60,000; four would be failures


def test_a_server_that_always_begins_anew_and_breaks_is_given_up(
    server: Server, part: Part
) -> None:
    address = server.serve("/f", Reply(BODY, break_at=60_000, ranges=False))
    with pytest.raises(Failed, match="the connection was closed early, tried 4 times"):
        transfer()[0].get(address, part)
    assert part.size() == 60_000


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_failure_is_tried_again(server: Server, part: Part, status: int) -> None:
    address = server.serve("/f", Reply(status=status), Reply(status=status), Reply(BODY))
    transfer()[0].get(address, part)
    assert part.path.read_bytes() == BODY


def test_a_lasting_server_failure_ends_after_the_attempts(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(status=503))
    with pytest.raises(Failed, match="HTTP 503 Service Unavailable, tried 4 times"):
        transfer()[0].get(address, part)
    assert len(server.requests) == 4


def _in_an_hour() -> str:
    return email.utils.formatdate(time.time() + 3600, usegmt=True)


@pytest.mark.parametrize("wait", ["3600", "date", "rubbish"])
def test_what_a_server_asks_to_wait_is_bounded(server: Server, part: Part, wait: str) -> None:
    value = _in_an_hour() if wait == "date" else wait
    busy = Reply(status=429, headers=(("Retry-After", value),))
    address = server.serve("/f", busy, Reply(BODY))
    get, _, notes, _ = transfer(replace(QUICK, pause=0.02, longest=0.2))
    begun = time.monotonic()
    get.get(address, part)
    waited = time.monotonic() - begun
    assert len(notes) == 1
    assert waited >= (0.02 if wait == "rubbish" else 0.2)
    assert waited < 60


@pytest.mark.parametrize(
    "value",
    [
        "Thu, 01 Jan 1970 00:00:10 GMT",
        "Fri, 31 Dec 9999 23:59:59 -0000",
        "Fri, 27 Nov 99999999999999999999 00:00:00 GMT",
        "Fri, 27 Nov 2026 00:00:00 +99999999999999999999",
        "-3600",
        "9" * 5000,
    ],
)
def test_a_moment_that_cannot_be_waited_for_is_no_fault_of_ours(
    server: Server, part: Part, value: str
) -> None:
    busy = Reply(status=503, headers=(("Retry-After", value),))
    address = server.serve("/f", busy, Reply(BODY))
    get, _, notes, _ = transfer(replace(QUICK, pause=0.02, longest=0.2))
    get.get(address, part)
    assert part.path.read_bytes() == BODY and len(notes) == 1


@pytest.mark.parametrize(("later", "wait"), [("00:01:00", "60 s"), ("00:00:00", "0 s")])
def test_a_moment_is_that_of_the_servers_own_clock(
    server: Server, part: Part, later: str, wait: str
) -> None:
    day = "Thu, 01 Jan 1981"
    headers = (("Retry-After", f"{day} {later} GMT"),)
    busy = Reply(status=503, date=f"{day} 00:00:00 GMT", headers=headers)
    address = server.serve("/f", busy)
    get, _, notes, stopped = transfer(replace(QUICK, pause=0, longest=3600))
    stopped.set()  # so that the wait ends at once
    with pytest.raises(Stopped):
        get.get(address, part)
    assert notes[0].endswith(f"trying again in {wait}")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(server: Server, part: Part, status: int) -> None:
    address = server.serve("/f", Reply(status=status))
    with pytest.raises(Failed, match=f"HTTP {status}"):
        transfer()[0].get(address, part)
    assert len(server.requests) == 1
    assert part.size() == 0


def test_a_body_that_stalls_is_resumed(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(BODY, pause=1.0), Reply(BODY))
    get, _, notes, _ = transfer()
    assert get.get(address, part) is True
    assert part.path.read_bytes() == BODY
    assert "no more data arrived" in notes[0]


def test_an_answer_that_does_not_come_is_tried_again(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(BODY, delay=1.0), Reply(BODY))
    get, _, notes, _ = transfer()
    get.get(address, part)
    assert "no answer within 0.3 s" in notes[0]


def test_a_redirect_is_followed(server: Server, part: Part) -> None:
    server.serve("/f", Reply(BODY))
    address = server.serve("/r", Reply(status=302, headers=(("Location", "/f"),)))
    transfer()[0].get(address, part)
    assert part.path.read_bytes() == BODY


@pytest.mark.parametrize("place", ["http://a..b/", "http://[::1"])
def test_a_redirect_to_no_address_is_a_failure(server: Server, part: Part, place: str) -> None:
    address = server.serve("/r", Reply(status=302, headers=(("Location", place),)))
    with pytest.raises(Failed, match="an address or a password that cannot be used"):
        transfer()[0].get(address, part)


def test_redirects_without_end_are_no_file(server: Server, part: Part) -> None:
    address = server.serve("/r", Reply(status=302, headers=(("Location", "/r"),)))
    with pytest.raises(Failed, match="redirects"):
        transfer()[0].get(address, part)


def test_a_refused_connection_is_not_tried_again(part: Part) -> None:
    get, _, notes, _ = transfer()
    with ports.held() as port, pytest.raises(Failed, match="connection refused"):
        get.get(f"http://127.0.0.1:{port}/f", part)
    assert notes == []


def test_an_unknown_host_is_not_tried_again(part: Part) -> None:
    get, _, notes, _ = transfer()
    with pytest.raises(Failed, match="host name is unknown"):
        get.get("http://nowhere.invalid/f", part)
    assert notes == []


def test_a_host_that_says_nothing_is_tried_twice_and_remembered_as_silent(part: Part) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        # A full queue of connections makes the kernel drop further ones without a word.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        get, _, notes, _ = transfer()
        with pytest.raises(Failed, match=r"no answer within 0.3 s, tried 2 times") as caught:
            get.get(f"http://127.0.0.1:{port}/f", part)
        for one in waiting:
            one.close()
    assert caught.value.silent
    assert len(notes) == 1


def test_a_connection_that_is_cut_before_any_answer_is_tried_again(part: Part) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            for _ in range(4):
                listener.accept()[0].close()

        thread = threading.Thread(target=cut)
        thread.start()
        with pytest.raises(Failed, match=r"connection lost: .*, tried 4 times"):
            transfer()[0].get(f"http://127.0.0.1:{listener.getsockname()[1]}/f", part)
        thread.join()


@pytest.mark.parametrize("address", ["ftp://x/f", "http://[broken/f", "file://far/f", "file:f"])
def test_what_is_no_usable_address_is_said(part: Part, address: str) -> None:
    with pytest.raises(Failed):
        transfer()[0].get(address, part)


def test_a_file_address_is_copied(tmp_path: Path, part: Part) -> None:
    source = tmp_path / "a b+c"
    source.write_bytes(BODY)
    get, watch, *_ = transfer()
    get.get(source.as_uri(), part)
    assert part.path.read_bytes() == BODY
    assert part.path.stat().st_ino != source.stat().st_ino
    assert watch.starts == [(len(BODY), 0)]
    with pytest.raises(Failed, match="no such file"):
        get.get((tmp_path / "missing").as_uri(), part)
    with pytest.raises(Failed, match="is a directory"):
        get.get(tmp_path.as_uri(), part)


def test_stopping_leaves_a_part_that_can_be_resumed(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(BODY, etag='"a"', pause=0.05), Reply(BODY, etag='"a"'))
    get, watch, _, stopped = transfer()
    watch.advanced = stopped.set
    with pytest.raises(Stopped):
        get.get(address, part)
    assert 0 < part.size() < len(BODY)
    assert watch.open == 0
    assert transfer()[0].get(address, part) is True
    assert part.path.read_bytes() == BODY


def test_stopping_ends_a_pause(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(status=503))
    get, _, _, stopped = transfer(replace(QUICK, pause=30, longest=30))
    threading.Timer(0.1, stopped.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        get.get(address, part)
    assert time.monotonic() - begun < 30


def test_no_thread_stays_after_a_download(server: Server, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    get, *_ = transfer()
    get.get(server.serve("/f", Reply(BODY)), Part(tmp_path / "f"))
    with pytest.raises(Failed):
        get.get(server.serve("/g", Reply(status=404)), Part(tmp_path / "g"))
    for each in set(threading.enumerate()) - before:
        if each.name == "download":
            each.join(10)
            assert not each.is_alive()


def test_another_address_goes_on_where_the_first_one_ended(server: Server, part: Part) -> None:
    first = server.serve("/a", Reply(BODY, etag='"a"', break_at=70_000), Reply(status=404))
    second = server.serve("/b", Reply(BODY, etag='"b"'))
    get, *_ = transfer()
    with pytest.raises(Failed):
        get.get(first, part)
    assert get.get(second, part) is True
    assert part.path.read_bytes() == BODY
    assert "if-range" not in server.requests[-1][1]


@pytest.mark.parametrize("side", [None, b"{", b"[]", b'{"address": "x"}'])
def test_a_part_that_nothing_is_known_of_is_removed(part: Part, side: bytes | None) -> None:
    part.path.write_bytes(b"half")
    if side is not None:
        part.path.with_name("file.part.json").write_bytes(side)
    assert part.size() == 0
    assert list(part.path.parent.iterdir()) == []


def test_a_part_that_is_complete_is_not_asked_for_again(server: Server, part: Part) -> None:
    address = server.serve("/f", Reply(BODY))
    transfer()[0].get(address, part)
    assert transfer()[0].get(address, part) is True
    assert len(server.requests) == 1


def test_a_silent_server_does_not_delay_the_end_of_a_run(part: Part) -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(_connection: socket.socket) -> None:
        asked.set()
        release.wait(60)

    with raw_server.running(hang) as place:
        get, _, _, stopped = transfer(replace(QUICK, read=60))

        def stop() -> None:
            asked.wait(30)
            stopped.set()

        threading.Thread(target=stop).start()
        started = time.monotonic()
        with pytest.raises(Stopped):
            get.get(f"http://{place}/f", part)
        assert time.monotonic() - started < 30
        release.set()
