"""The remote cache in use: two machines and one server, and what may go wrong between them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import bucket
import cache_server
import nginx
import pytest
from cache_server import CacheServer
from nginx import Nginx

from incremental.conftest import ALL, GREET_C, GREET_H, HELLO_C
from incremental.project import Project, ok
from quard.remote import action
from quard.store.record import decode_record, encode_record
from quard.store.stores import EMPTY


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nginx]:
    with nginx.running(tmp_path / "nginx") as found:
        yield found


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


def test_a_second_machine_has_the_image_without_compiling(greeting: Project, server: Nginx) -> None:
    first = ok(greeting.run(f"cache.url={server.address}"))
    assert first.built == ALL
    assert f"sent 4 results to the cache at 127.0.0.1:{server.port}" in first.text
    image = greeting.image()
    greeting.other_machine()
    server.forget_log()
    ran = ok(greeting.run(f"cache.url={server.reading}"))
    assert ran.built == [] and sorted(ran.summary["restored"]) == ALL
    assert f"hello 1: from the cache at 127.0.0.1:{server.port}" in ran.out
    assert greeting.image() == image
    assert server.lines("PUT") == []
    log = (greeting.folder / "out/tiny/logs/hello.log").read_text()
    assert log.startswith("built elsewhere; the cache at 127.0.0.1:")


def test_a_bucket_that_wants_signatures_serves_as_well(greeting: Project, tmp_path: Path) -> None:
    with bucket.running(tmp_path / "bucket") as place:
        words = f"cache.url={place.address}", f"cache.s3_region={bucket.REGION}"
        assert ok(greeting.run(*words, env=place.environment)).built == ALL
        image = greeting.image()
        greeting.other_machine()
        ran = ok(greeting.run(*words, env=place.environment))
    assert ran.built == [] and greeting.image() == image


def test_a_machine_fetches_only_what_its_images_need(greeting: Project, server: Nginx) -> None:
    ok(greeting.run(f"cache.url={server.address}"))
    greeting.other_machine()
    server.forget_log()
    ok(greeting.run(f"cache.url={server.reading}"))
    blobs = {words[6] for words in server.lines("GET", "/cas")}
    records = [*(greeting.folder / "out/tiny/units").glob("*.record.json")]
    found = [json.loads(path.read_bytes())["blobs"] for path in records]
    needed = {f"/cas/{each[part]}" for each in found for part in ("libs", "programs")}
    assert blobs and blobs <= needed
    assert len(records) == len(ALL)


def test_a_change_of_one_package_builds_it_alone(greeting: Project, server: Nginx) -> None:
    ok(greeting.run(f"cache.url={server.address}"))
    greeting.other_machine()
    greeting.library("greet", GREET_C.replace("{ return 42; }", "{ int a = 42; return a + 0; }") +
                     "int more(void) { return 1; }\n", GREET_H)  # fmt: skip
    ran = ok(greeting.run(f"cache.url={server.address}"))
    assert ran.built == ["greet", "hello"], "its new function is part of the interface"
    greeting.program("alone", "int main(void) { return 1; }\n")
    greeting.other_machine()
    ran = ok(greeting.run(f"cache.url={server.address}"))
    assert ran.built == ["alone"]
    assert "sent 1 results" in ran.text


def test_headers_and_libraries_are_fetched_for_a_package_that_is_built(
    greeting: Project, server: Nginx
) -> None:
    ok(greeting.run("greet", f"cache.url={server.address}"))
    greeting.other_machine()
    ran = ok(greeting.run("hello", f"cache.url={server.reading}"))
    assert ran.built == ["hello"]


def test_a_null_build_asks_nothing(greeting: Project, server: Nginx) -> None:
    ok(greeting.run(f"cache.url={server.address}"))
    greeting.other_machine()
    ok(greeting.run(f"cache.url={server.reading}"))
    server.forget_log()
    assert ok(greeting.run(f"cache.url={server.reading}")).built == []
    assert server.lines("GET") == server.lines("HEAD") == []


def test_readers_are_told_once_that_nothing_is_taken(greeting: Project, server: Nginx) -> None:
    ran = ok(greeting.run(f"cache.url={server.reading}"))
    assert ran.text.count("takes no results: HTTP 401") == 1
    assert server.lines("PUT") and not any(words[8] == "201" for words in server.lines("PUT"))


def test_results_of_the_local_store_are_sent_as_well(greeting: Project, server: Nginx) -> None:
    ok(greeting.run())
    shutil.rmtree(greeting.folder / "out")
    ran = ok(greeting.run(f"cache.url={server.address}"))
    assert ran.built == [] and "sent 4 results" in ran.text


def test_what_only_this_machine_can_use_is_not_sent(greeting: Project, server: Nginx) -> None:
    ran = ok(greeting.run(f"cache.url={server.address}", "sandbox.mode=none"))
    assert ran.built == ALL
    assert server.lines("PUT") == []


def test_without_the_server_the_same_image_is_built(greeting: Project, server: Nginx) -> None:
    ok(greeting.run(f"cache.url={server.address}"))
    image = greeting.image()
    greeting.other_machine()
    ran = ok(greeting.run("cache.url=http://127.0.0.1:9/x"))
    assert ran.built == ALL and greeting.image() == image
    assert ran.text.count("is not used any more in this run") == 1


def test_blobs_that_are_gone_after_the_hit_are_built_in_the_same_run(
    greeting: Project, state: CacheServer
) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()

    def gone(method: str, path: str) -> tuple[int, dict[str, str]] | None:
        return (404, {}) if method == "GET" and path.startswith("/cas") else None

    state.fault = gone
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert {"alone", "hello"} <= {*ran.built}
    assert greeting.image() == image


def test_what_only_this_machine_has_lost_is_fetched(greeting: Project, server: Nginx) -> None:
    assert ok(greeting.run(f"cache.url={server.address}")).built == ALL
    image = greeting.image()
    record = json.loads((greeting.folder / "out/tiny/units/greet.record.json").read_bytes())
    headers = record["blobs"]["dev"]
    (greeting.cache / "store/cas" / headers[:2] / headers).unlink()
    greeting.program("hello", f"/* new */ {HELLO_C}", "-lgreet", more='needs=("greet",),')
    ran = ok(greeting.run(f"cache.url={server.address}"))
    host = f"the cache at 127.0.0.1:{server.port}"
    assert f"blob {headers}) is missing; greet is taken from {host}, or rebuilt" in ran.text
    assert ran.built == ["hello"] and f"greet 1: from {host}" in ran.out
    assert greeting.image() == image


def test_blobs_that_are_gone_days_later_are_built(greeting: Project, state: CacheServer) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    greeting.other_machine()
    ok(greeting.run(f"cache.url={state.base}"))
    state.files.clear()
    greeting.program("hello", "#include <greet.h>\nint main(void) { return greet(); }\n",
                     "-lgreet", more='needs=("greet",),')  # fmt: skip
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert sorted(ran.built) == ["greet", "hello"]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_server_that_fails_in_the_middle_changes_nothing(
    greeting: Project, state: CacheServer, status: int
) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    left = [6]

    def fails(_method: str, _path: str) -> tuple[int, dict[str, str]] | None:
        left[0] -= 1
        return None if left[0] >= 0 else (status, {})

    state.fault = fails
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert greeting.image() == image
    assert ran.text.count("is not used any more in this run") == 1


def test_wrong_bytes_are_never_in_an_image(greeting: Project, state: CacheServer) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    for path in state.files:
        if path.startswith("/cas"):
            state.files[path] = state.files[path][::-1]
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert greeting.image() == image
    assert "has other bytes than those of blob" in ran.text
    assert ran.built != []


def test_a_dry_run_asks_what_it_would_take(greeting: Project, server: Nginx) -> None:
    ok(greeting.run(f"cache.url={server.address}"))
    greeting.other_machine()
    ran = greeting.run("-n", f"cache.url={server.reading}")
    assert ran.status == 0 and ran.err == ""
    assert "Traceback" not in ran.text
    assert "take from the store  hello" in ran.out
    assert server.lines("GET", "/ac")


def test_a_record_without_a_part_is_no_result(greeting: Project, state: CacheServer) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    for path in [path for path in state.files if path.startswith("/ac")]:
        key = path.rpartition("/")[2]
        raw, sizes, _ = action.decode(state.files[path])
        record = decode_record(key, raw)
        assert record
        record["blobs"] = {"libs": record["blobs"]["libs"]}
        state.files[path] = action.encode(
            encode_record(key, record), record["blobs"], {**sizes, EMPTY: 10240}
        )
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert ran.built == ALL and greeting.image() == image


def test_natives_of_the_machines_own_tools_stay_here(greeting: Project, server: Nginx) -> None:
    """Its headers and libraries, which such a build can see, are in no key."""
    ran = ok(greeting.run("build/greet", f"cache.url={server.address}"))
    assert ran.built == ["build/greet"]
    assert server.lines("PUT") == []
