"""quard.sources.fetch: which place is asked when, and that only verified bytes get their name."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import Reply, Server
from waiting import within

from quard.base.errors import QuardError
from quard.face.progress import Lines
from quard.plan.source import Request, Variant
from quard.sources import mirrors, pypi
from quard.sources.archives import Fetched
from quard.sources.attempt import Limits, Other
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations
from quard.sources.unfetched import exhausted, other_bytes

QUICK = Limits(connect=0.3, read=2, attempts=2, pause=0.01, longest=0.05)
RIGHT = hashlib.shake_128(b"right").digest(200_000)
WRONG = hashlib.shake_128(b"wrong").digest(200_000)
SITE = str(Path(mirrors.__file__).parents[2])

CHILD = """
import json, sys
from pathlib import Path
from quard.base.errors import QuardError
from quard.sources.fetch import Fetcher
from quard.plan.source import Request, Variant
from quard.sources.mirrors import Locations
from quard.face.progress import Lines
cache, file, sha256, address = sys.argv[1:]
request = Request("demo", (Variant(file, sha256, (address,)),))
try:
    found = Fetcher(Path(cache), Locations(), Lines(sys.stderr)).fetch(request)
    left = None
except QuardError as error:
    left = error.reason
files = sorted(p.name for p in Path(cache).rglob("*") if p.is_file())
print(json.dumps({"reason": left, "files": files}))
"""


class Quiet:
    """Progress that remembers the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, package: str, file: str, total: int | None, done: int) -> Quiet:
        del package, file, total, done
        return self

    def advance(self, count: int) -> None:
        """Forget it."""

    def close(self) -> None:
        """Forget it."""

    def note(self, line: str) -> None:
        self.notes.append(line)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def request(*addresses: str, file: str = "demo-1.tar", data: bytes = RIGHT) -> Request:
    return Request("demo", (Variant(file, sha(data), addresses),))


def fetcher(cache: Path, where: Locations | None = None, limits: Limits = QUICK) -> Fetcher:
    return Fetcher(cache, where or Locations(), Quiet(), limits=limits)


def error(fetch: Fetcher, wanted: Request) -> QuardError:
    with pytest.raises(QuardError) as caught:
        fetch.fetch(wanted)
    return caught.value


def files(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file() and p.name != ".lock")


def test_a_source_is_fetched_once_and_then_found_in_the_cache(server: Server, cache: Path) -> None:
    wanted = request(server.serve("/demo-1.tar", Reply(RIGHT)))
    fetch = fetcher(cache)
    assert fetch.cached(wanted) is None
    first = fetch.fetch(wanted)
    path = cache / sha(RIGHT) / "demo-1.tar"
    assert first == Fetched(path, sha(RIGHT), path.name, server.base + "/demo-1.tar")
    assert first.path.read_bytes() == RIGHT
    assert fetch.fetch(wanted) == fetch.cached(wanted) == replace(first, address="")
    assert len(server.requests) == 1
    assert files(cache) == ["demo-1.tar"]


def test_a_damaged_file_in_the_cache_is_removed_and_fetched_anew(
    server: Server, cache: Path
) -> None:
    wanted = request(server.serve("/demo-1.tar", Reply(RIGHT)))
    path = cache / sha(RIGHT) / "demo-1.tar"
    path.parent.mkdir(parents=True)
    path.write_bytes(WRONG)
    assert fetcher(cache).cached(wanted) is None
    assert not path.exists()
    path.write_bytes(WRONG)
    assert fetcher(cache).fetch(wanted).path.read_bytes() == RIGHT


@pytest.mark.parametrize("folder", ["", "demo"])
def test_variants_of_one_name_do_not_take_each_other_for_damage(cache: Path, folder: str) -> None:
    both = Request("demo", (Variant("f", sha(WRONG), ()), Variant("f", sha(RIGHT), ())))
    (cache / folder).mkdir(parents=True)
    (cache / folder / "f").write_bytes(RIGHT)
    found = fetcher(cache).cached(both)
    assert found is not None
    assert found.sha256 == sha(RIGHT)
    assert (cache / folder / "f").exists()


def test_packages_with_one_archive_fetch_it_once_whatever_they_call_it(
    server: Server, cache: Path
) -> None:
    address = server.serve("/linux-7.tar.xz", Reply(RIGHT))
    fetch = fetcher(cache)
    one = Variant("linux-7.tar.xz", sha(RIGHT), (address,))
    two = Variant("headers.tar.xz", sha(RIGHT), (server.base + "/headers.tar.xz",))
    first = fetch.fetch(Request("linux", (one,)))
    second = fetch.fetch(Request("linux-headers", (two,)))
    assert (second.path, second.file) == (first.path, "headers.tar.xz")
    assert len(server.requests) == 1
    assert files(cache) == ["linux-7.tar.xz"]


def test_what_earlier_versions_have_fetched_is_taken_and_stays_for_them(
    server: Server, cache: Path
) -> None:
    former = cache / "demo/demo-1.tar"
    former.parent.mkdir(parents=True)
    former.write_bytes(RIGHT)
    found = fetcher(cache).fetch(request(server.base + "/demo-1.tar"))
    assert (found.path, found.address) == (cache / sha(RIGHT) / "demo-1.tar", "")
    assert former.samefile(found.path) and server.requests == []
    other = Request("other", (Variant("x.tar", sha(RIGHT), ()),))
    assert fetcher(cache).fetch(other).path == found.path


def test_a_cache_without_links_or_right_to_write_gives_what_it_has(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = cache / "demo/demo-1.tar"
    former.parent.mkdir(parents=True)
    former.write_bytes(RIGHT)

    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no links here", str(self), None, str(target))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert fetcher(cache).fetch(request()).path == former


def test_another_file_of_the_name_in_the_cache_is_passed_over_and_told_of(
    server: Server, cache: Path
) -> None:
    cache.mkdir()
    (cache / "demo-1.tar").write_bytes(WRONG)
    fault = error(fetcher(cache), request(server.base + "/demo-1.tar"))
    assert fault.reason == "hash-mismatch"
    assert f"{cache / 'demo-1.tar'}: sent another file" in fault.detail
    address = server.serve("/demo-1.tar", Reply(RIGHT))
    assert fetcher(cache).fetch(request(address)).path.read_bytes() == RIGHT
    assert (cache / "demo-1.tar").read_bytes() == WRONG


def test_packages_with_files_of_one_name_do_not_meet(server: Server, cache: Path) -> None:
    fetch = fetcher(cache)
    one = server.serve("/one/v1.tar", Reply(RIGHT))
    two = server.serve("/two/v1.tar", Reply(WRONG))
    fetch.fetch(Request("one", (Variant("v1.tar", sha(RIGHT), (one,)),)))
    fetch.fetch(Request("two", (Variant("v1.tar", sha(WRONG), (two,)),)))
    assert (cache / sha(RIGHT) / "v1.tar").read_bytes() == RIGHT
    assert (cache / sha(WRONG) / "v1.tar").read_bytes() == WRONG


@pytest.mark.parametrize("name", ["demo-1.tar", "demo_1.orig.tar"])
def test_folders_come_first_under_each_name_and_are_not_written_to(
    server: Server, cache: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / name).write_bytes(RIGHT)
    wanted = request(server.serve("/demo-1.tar", Reply(RIGHT)), "debian:pool/demo_1.orig.tar")
    found = fetcher(cache, Locations(folders=(tmp_path / "missing", folder))).fetch(wanted)
    assert found.path == cache / sha(RIGHT) / "demo-1.tar"
    assert found.address == (folder / name).as_uri()
    assert server.requests == []
    assert [p.name for p in folder.iterdir()] == [name]


def test_a_wrong_file_in_a_folder_is_passed_over_and_left_there(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "demo-1.tar").write_bytes(WRONG)
    wanted = request(server.serve("/demo-1.tar", Reply(RIGHT)))
    found = fetcher(cache, Locations(folders=(tmp_path,))).fetch(wanted)
    assert found.address.startswith("http:")
    assert (tmp_path / "demo-1.tar").read_bytes() == WRONG


def test_address_in_debians_archive_is_asked_at_the_archives_of_the_settings(
    cache: Path, server: Server
) -> None:
    there = server.serve("/debian/pool/d/demo_1.orig.tar", Reply(RIGHT))
    where = Locations(debian=(server.base + "/gone", server.base + "/debian/"))
    found = fetcher(cache, where).fetch(request("debian:pool/d/demo_1.orig.tar"))
    assert found.address == there
    paths = [path for path, _ in server.requests]
    assert paths == ["/gone/pool/d/demo_1.orig.tar", "/debian/pool/d/demo_1.orig.tar"]


def test_an_address_on_a_site_is_asked_at_each_base_and_a_bad_one_does_not_end_the_search(
    server: Server, cache: Path
) -> None:
    there = server.serve("/gnu/demo/demo-1.tar", Reply(RIGHT))
    where = Locations(sites={"gnu": (server.base + "/gone", server.base + "/gnu")})
    found = fetcher(cache, where).fetch(request("nowhere:demo-1.tar", "gnu:demo/demo-1.tar"))
    assert (found.address, found.path.name) == (there, "demo-1.tar")
    assert server.requests[0][0] == "/gone/demo/demo-1.tar"


def test_addresses_are_asked_variant_by_variant_and_mirrors_last(
    server: Server, cache: Path
) -> None:
    wanted = Request(
        "demo",
        (
            Variant("a.tar", sha(WRONG), (server.base + "/up/a.tar", server.base + "/alt/a.tar")),
            Variant("b.tar", sha(RIGHT), (server.base + "/deb/b.tar",)),
        ),
    )
    mirror = server.serve("/mirror/b.tar", Reply(RIGHT))
    found = fetcher(cache, Locations(mirrors=(server.base + "/mirror/",))).fetch(wanted)
    assert (found.address, found.sha256) == (mirror, sha(RIGHT))
    assert [path for path, _ in server.requests] == [
        "/up/a.tar",
        "/alt/a.tar",
        "/deb/b.tar",
        "/mirror/a.tar",
        "/mirror/b.tar",
    ]


def test_wrong_bytes_go_on_to_the_next_address(server: Server, cache: Path) -> None:
    wanted = request(
        server.serve("/one", Reply(WRONG)), server.serve("/two/demo-1.tar", Reply(RIGHT))
    )
    assert fetcher(cache).fetch(wanted).address.endswith("/two/demo-1.tar")
    assert files(cache) == ["demo-1.tar"]


def test_wrong_bytes_everywhere_are_an_error_that_names_both_hashes(
    server: Server, cache: Path
) -> None:
    one = server.serve("/one", Reply(WRONG))
    fault = error(fetcher(cache), request(one, server.base + "/two"))
    assert fault.reason == "hash-mismatch"
    assert sha(RIGHT) in fault.detail
    assert sha(WRONG) in fault.detail
    assert one in fault.detail
    assert "/two: HTTP 404" in fault.detail
    assert fault.hint
    assert files(cache) == []


def test_pieces_of_two_files_are_fetched_again_as_a_whole(server: Server, cache: Path) -> None:
    first = server.serve("/one", Reply(WRONG, break_at=70_000), Reply(status=404))
    second = server.serve("/two", Reply(RIGHT))
    found = fetcher(cache).fetch(request(first, second))
    assert found.path.read_bytes() == RIGHT
    assert server.ranges() == ["", "bytes=70000-", "bytes=70000-", ""]


def test_no_source_lists_every_address_and_says_what_to_do(
    server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    monkeypatch.setenv("PATH", "/nonexistent")
    wanted = request(
        "http://nowhere.invalid/demo-1.tar",
        server.base + "/demo-1.tar",
        "debian:pool/demo.tar",
        "gopher://x/demo-1.tar",
    )
    where = Locations(folders=(tmp_path,), mirrors=(server.base + "/mirror",))
    fault = error(fetcher(cache, where), wanted)
    assert fault.reason == "no-source"
    assert sha(RIGHT) in fault.detail
    for text in (
        f"{tmp_path}: no matching file",
        "http://nowhere.invalid/demo-1.tar: the host name is unknown",
        f"{server.base}/demo-1.tar: HTTP 404",
        "debian:pool/demo.tar: apt has no index of a Debian archive",
        "gopher://x/demo-1.tar: 'gopher' addresses are not supported",
        f"{server.base}/mirror/demo-1.tar: HTTP 404",
    ):
        assert text in fault.detail
    assert f"into {cache}, " in fault.hint
    assert "demo-1.tar" in fault.hint
    assert files(cache) == []


def test_without_a_network_the_error_says_so_and_has_a_cause_that_others_share(
    server: Server, cache: Path
) -> None:
    nowhere = ("http://nowhere.invalid/demo-1.tar", "http://elsewhere.invalid/demo-1.tar")
    fault = error(fetcher(cache), request(*nowhere))
    assert fault.message.endswith("could not download the source of demo: no host was reached")
    assert "check the network connection; or put demo-1.tar into" in fault.hint
    assert fault.cause
    answered = error(fetcher(cache), request(*nowhere, server.base + "/demo-1.tar"))
    assert answered.cause == ""
    assert "no host was reached" not in answered.message


def test_a_file_put_into_the_cache_by_hand_is_taken(cache: Path) -> None:
    fetch = fetcher(cache)
    error(fetch, request())
    (cache / "demo-1.tar").write_bytes(RIGHT)
    assert fetch.fetch(request()).address == ""


def test_offline_leaves_the_network_alone_and_says_so(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    address = server.serve("/demo-1.tar", Reply(RIGHT))
    fault = error(fetcher(cache, Locations(offline=True)), request(address))
    assert fault.reason == "no-source"
    assert "offline" in fault.message
    assert f"{address}: not tried: offline" in fault.detail
    assert server.requests == []
    (tmp_path / "demo-1.tar").write_bytes(RIGHT)
    near = Locations(offline=True, mirrors=(tmp_path.as_uri(),))
    assert fetcher(cache, near).fetch(request(address)).address.startswith("file:")


def test_a_file_address_is_verified_like_any_other(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "demo-1.tar").write_bytes(WRONG)
    address = (tmp_path / "demo-1.tar").as_uri()
    assert error(fetcher(cache), request(address)).reason == "hash-mismatch"
    assert files(cache) == []
    assert (tmp_path / "demo-1.tar").exists()


def test_a_name_that_is_a_path_is_refused(cache: Path) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        fetcher(cache).fetch(request(file="../x"))


def test_a_cache_that_cannot_be_written_is_an_error_of_its_own(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    address = server.serve("/demo-1.tar", Reply(RIGHT))
    assert error(fetcher(tmp_path / "cache"), request(address)).reason == "cache-unusable"


def test_a_pipe_that_was_put_into_the_cache_by_hand_is_not_waited_for(cache: Path) -> None:
    (cache / "demo").mkdir(parents=True)
    os.mkfifo(cache / "demo/demo-1.tar")
    fault = error(fetcher(cache), request())
    assert fault.reason == "cache-unusable" and "it is a pipe, not a file" in fault.detail


def test_stopping_ends_every_fetch_and_the_next_one_goes_on(server: Server, cache: Path) -> None:
    whole = Reply(RIGHT, etag='"a"')
    address = server.serve("/demo-1.tar", replace(whole, pause=0.1), whole)
    fetch = fetcher(cache)
    threading.Timer(0.3, fetch.stop).start()
    assert error(fetch, request(address)).reason == "interrupted"
    assert files(cache) == ["demo-1.tar.part", "demo-1.tar.part.json"]
    assert fetcher(cache).fetch(request(address)).path.read_bytes() == RIGHT
    assert server.requests[1][1]["if-range"] == '"a"'
    assert files(cache) == ["demo-1.tar"]


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let pip have no index of its own."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    pypi.indexes.cache_clear()
    yield
    pypi.indexes.cache_clear()


@pytest.mark.usefixtures("no_index")
def test_stopping_does_not_wait_for_an_index(server: Server, cache: Path) -> None:
    server.serve("/simple/demo/", Reply(b"x", endless=True, pause=0.05))
    where = Locations(sites={"pypi": (f"{server.base}/simple",)})
    fetch = fetcher(cache, where)
    wanted = request("pypi:demo/demo-1.tar")
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(error, fetch, wanted)
        assert within(10, lambda: server.requests)
        fetch.stop()
        assert asking.result().reason == "interrupted"


@pytest.mark.usefixtures("no_index")
def test_no_message_shows_the_password_of_a_mirror(server: Server, cache: Path) -> None:
    busy = Reply(status=503)
    address = server.serve("/demo-1.tar", busy).replace("://", "://me:secret@")
    index = f"{server.base}/simple".replace("://", "://me:secret@")
    quiet = Quiet()
    fetch = Fetcher(cache, Locations(sites={"pypi": (index,)}), quiet, limits=QUICK)
    fault = error(fetch, request(address, "pypi:demo/demo-1.tar"))
    assert quiet.notes and "/simple/demo/: HTTP 404" in fault.detail
    assert "secret" not in f"{quiet.notes} {fault.detail} {fault.hint} {fault}"


def test_threads_fetch_several_packages_at_once_and_one_package_once(
    server: Server, cache: Path
) -> None:
    """Each answer waits for a second request."""
    others = threading.Barrier(2, timeout=60)
    wanted = [
        Request(
            f"p{number}",
            (
                Variant(
                    "f.tar",
                    sha(RIGHT[number:]),
                    (server.serve(f"/p{number}", Reply(RIGHT[number:], others=others)),),
                ),
            ),
        )
        for number in (*range(6), *range(6))
    ]
    fetch = fetcher(cache, limits=replace(QUICK, read=120))
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(fetch.fetch, wanted))
    assert len(server.requests) == 6
    assert sum(one.address == "" for one in found) == 6


def child(cache: Path, address: str, *before: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-c", CHILD, str(cache), "demo-1.tar", sha(RIGHT), address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": SITE, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_two_builds_at_once_fetch_a_file_once(server: Server, cache: Path) -> None:
    address = server.serve("/demo-1.tar", Reply(RIGHT, pause=0.15))
    first, second = child(cache, address), child(cache, address)
    said = [one.communicate(timeout=30) for one in (first, second)]
    for out, _ in said:
        assert json.loads(out)["reason"] is None
    assert len(server.requests) == 1
    assert sum("waiting for another build" in err for _, err in said) == 1
    assert files(cache) == ["demo-1.tar"]


def test_a_killed_build_is_resumed(server: Server, cache: Path) -> None:
    whole = Reply(RIGHT, etag='"a"')
    address = server.serve("/demo-1.tar", replace(whole, pause=0.2), whole)
    process = child(cache, address)
    part = cache / sha(RIGHT) / "demo-1.tar.part"
    assert within(20, lambda: part.exists() and part.stat().st_size > 40_000)
    process.kill()
    process.communicate()
    size = part.stat().st_size
    assert not (cache / sha(RIGHT) / "demo-1.tar").exists()
    assert fetcher(cache).fetch(request(address)).path.read_bytes() == RIGHT
    assert server.ranges() == ["", f"bytes={size}-"]
    assert server.requests[1][1]["if-range"] == '"a"'
    assert files(cache) == ["demo-1.tar"]


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_full_disk_is_said_and_leaves_no_part(
    server: Server, cache: Path, tmp_path: Path, kind: str
) -> None:
    cache.mkdir()
    (tmp_path / "site.tar").write_bytes(RIGHT)
    addresses = {
        "http": server.serve("/demo-1.tar", Reply(RIGHT)),
        "file": (tmp_path / "site.tar").as_uri(),
    }
    small = ["bwrap", "--bind", "/", "/", "--size", "100000", "--tmpfs", str(cache), "--"]
    if not shutil.which("bwrap") or subprocess.run([*small, "true"], check=False).returncode:
        pytest.skip("bwrap cannot mount a small tmpfs here")
    out, err = child(cache, addresses[kind], *small).communicate(timeout=30)
    assert json.loads(out) == {"reason": "disk-full", "files": [".lock"]}, err


def test_a_real_log_shows_the_transfer(server: Server, cache: Path, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        address = server.serve("/demo-1.tar", Reply(status=503), Reply(RIGHT))
        Fetcher(cache, Locations(), Lines(log), limits=QUICK).fetch(request(address))
    lines = (tmp_path / "log").read_text().splitlines()
    assert "HTTP 503 Service Unavailable; trying again" in lines[0]
    assert lines[1] == "demo: fetching demo-1.tar (195.3 KiB)"
    assert lines[2].startswith("demo: demo-1.tar: received 195.3 KiB in ")


def sized(address: str, size: int) -> Request:
    return Request("demo", (Variant("demo-1.tar", sha(RIGHT), (address,), size),))


def test_a_body_without_end_stops_at_the_size_that_the_recipe_gives(
    server: Server, cache: Path
) -> None:
    wanted = sized(server.serve("/demo-1.tar", Reply(RIGHT, endless=True)), len(RIGHT))
    found = error(fetcher(cache), wanted)
    assert found.reason == "hash-mismatch"
    assert f"  expected size {len(RIGHT)} bytes" in found.detail
    assert f"  found size    more than {len(RIGHT)} bytes" in found.detail
    assert len(server.requests) == 1
    assert files(cache) == []


def test_a_body_without_end_and_without_a_size_stops_at_the_limit(
    server: Server, cache: Path
) -> None:
    wanted = request(server.serve("/demo-1.tar", Reply(RIGHT, endless=True)))
    found = error(Fetcher(cache, Locations(), Quiet(), limits=QUICK, most=3 << 20), wanted)
    assert found.reason == "no-source"
    assert "sends more than 3 MiB" in found.detail
    assert "sources.largest_mib" in found.hint
    assert files(cache) == []


def test_a_file_of_another_size_is_not_fetched_at_all(server: Server, cache: Path) -> None:
    wanted = sized(server.serve("/demo-1.tar", Reply(WRONG)), len(WRONG) - 1)
    found = error(fetcher(cache), wanted)
    assert found.reason == "hash-mismatch"
    assert f"  found size    {len(WRONG)} bytes" in found.detail
    assert files(cache) == []


def test_a_file_of_the_right_size_is_taken_also_where_it_is_larger_than_the_limit(
    server: Server, cache: Path
) -> None:
    wanted = sized(server.serve("/demo-1.tar", Reply(RIGHT)), len(RIGHT))
    fetch = Fetcher(cache, Locations(), Quiet(), limits=QUICK, most=1)
    assert fetch.fetch(wanted).path.read_bytes() == RIGHT


def test_an_address_with_too_much_does_not_end_the_search(server: Server, cache: Path) -> None:
    first = server.serve("/a/demo-1.tar", Reply(RIGHT, endless=True))
    second = server.serve("/b/demo-1.tar", Reply(RIGHT))
    wanted = Request("demo", (Variant("demo-1.tar", sha(RIGHT), (first, second), len(RIGHT)),))
    assert fetcher(cache).fetch(wanted).address == second


def test_a_device_or_a_pipe_is_no_source(tmp_path: Path, cache: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = error(fetcher(cache), request((tmp_path / "pipe").as_uri(), "file:///dev/zero"))
    assert found.detail.count("is not a regular file") == 2


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html>\n<html><head><title>Sign in\n to  Guests</title></head></html>",
        b"\n <!-- made by a proxy --><HTML><head><TITLE>Sign in to Guests</TITLE></head></html>",
    ],
)
@pytest.mark.parametrize("endless", [True, False])
def test_a_web_page_in_place_of_the_file_is_called_one(
    server: Server, cache: Path, page: bytes, endless: bool
) -> None:
    wanted = request(server.serve("/demo-1.tar", Reply(page, endless=endless)))
    found = error(fetcher(cache), wanted)
    assert found.reason == "no-source"
    assert "sent a web page (HTML), 'Sign in to Guests' instead of the file" in found.detail
    assert len(server.requests) == 1
    assert files(cache) == []


def test_a_web_page_that_trickles_in_is_called_one(server: Server, cache: Path) -> None:
    page = b"<!DOCTYPE html>" + b" " * (40 << 10)
    assert (
        "a web page"
        in error(fetcher(cache), request(server.serve("/f", Reply(page, pause=0.01)))).detail
    )


def test_a_web_page_in_a_folder_of_sources_is_called_one(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "demo-1.tar").write_bytes(b"<html><body>404</body></html>")
    found = error(fetcher(cache, Locations(folders=(tmp_path,))), request())
    assert "sent a web page (HTML) instead of the file" in found.detail


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/owner/name/archive/refs/tags/v1.tar.gz",
        "https://codeload.github.com/owner/name/tar.gz/v1",
        "https://gitlab.example.org/group/name/-/archive/v1/name-v1.tar.gz",
        "https://git.example.org/cgit/name.git/snapshot/name-1.tar.gz",
    ],
)
def test_other_bytes_of_a_forge_s_own_archive_lead_to_an_alternate(address: str) -> None:
    wanted = request(address)
    other = Other("sha256", expected="a" * 64, found="b" * 64)
    failure = other_bytes(address, wanted.variants[0], other)
    hint = exhausted(wanted, [failure], Path("/cache"), Locations()).hint
    assert "Alternate" in hint


def test_other_bytes_of_a_release_are_compared_with_the_announcement() -> None:
    address = "https://github.com/owner/name/releases/download/v1/name-1.tar.gz"
    wanted = request(address)
    failure = other_bytes(address, wanted.variants[0], Other("sha256", expected="a", found="b"))
    hint = exhausted(wanted, [failure], Path("/cache"), Locations()).hint
    assert "Alternate" not in hint
    assert "announcement" in hint


def test_words_of_a_server_reach_no_terminal_raw(server: Server, cache: Path) -> None:
    words = "gone \x1b[2J \x9b31m"
    address = server.serve("/demo-1.tar", Reply(status=500, reason=words))
    out = io.StringIO()
    found = error(Fetcher(cache, Locations(), Lines(out), limits=QUICK), request(address))
    assert r"HTTP 500 gone \x1b[2J \x9b31m" in found.block()
    assert r"HTTP 500 gone \x1b[2J \x9b31m; trying again" in out.getvalue()
    assert "\x1b" not in found.block() + out.getvalue()
