"""What steps took, from one run to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quard.ledger import durations
from quard.ledger.durations import Past

FILE = "durations.json"


def test_what_one_run_took_the_next_one_knows(tmp_path: Path) -> None:
    path = tmp_path / "out" / FILE
    durations.keep(path, 2, {"zlib": {"unpack": 0.123, "build": 4.0}})
    durations.keep(path, 2, {"bash": {"unpack": 1.0}})
    known = durations.read(path, 2)
    assert known == {
        "zlib": {"unpack": Past({"unpack": 0.12, "build": 4.0})},
        "bash": {"unpack": Past({"unpack": 1.0})},
    }
    assert list(known["zlib"]["unpack"].steps) == ["unpack", "build"]
    assert known["zlib"]["unpack"].seconds == pytest.approx(4.12)


def test_each_kind_of_build_is_kept_the_latest_last(tmp_path: Path) -> None:
    path = tmp_path / FILE
    durations.keep(path, 2, {"linux": {"update": 3.0}})
    durations.keep(path, 2, {"linux": {"unpack": 20.0, "build": 300.0}})
    assert list(durations.read(path, 2)["linux"]) == ["update", "unpack"]
    durations.keep(path, 2, {"linux": {"update": 2.0}})
    known = durations.read(path, 2)["linux"]
    assert list(known) == ["unpack", "update"]
    assert known["update"].seconds == 2.0


def test_another_number_of_jobs_is_no_measure(tmp_path: Path) -> None:
    path = tmp_path / FILE
    durations.keep(path, 2, {"linux": {"unpack": 20.0}})
    assert durations.read(path, 8) == {}
    durations.keep(path, 8, {"linux": {"unpack": 5.0}})
    assert durations.read(path, 2)["linux"]["unpack"].seconds == 20.0
    assert durations.read(path, 8)["linux"]["unpack"].seconds == 5.0


def test_what_is_left_of_a_step_and_after_it() -> None:
    past = Past({"unpack": 10.0, "build": 100.0, "install": 20.0})
    assert past.rest("unpack", 0.0) == 130.0
    assert past.rest("build", 30.0) == 90.0
    assert past.rest("build", 110.0) == 20.0, "a little late is no reason to say nothing"
    assert past.rest("build", 126.0) is None
    assert past.rest("configure", 0.0) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"a": 1}',
        '{"a": [1]}',
        '{"a": [{}]}',
        '{"a": [{"jobs": 2, "steps": []}]}',
        '{"a": [{"jobs": 2, "steps": [["unpack"]]}]}',
        '{"a": [{"jobs": 2, "steps": [["unpack", "1"]]}]}',
        '{"a": [{"jobs": 2, "steps": [["unpack", NaN]]}]}',
        '{"a": [{"jobs": 2, "steps": [["unpack", -1]]}]}',
        '{"a": [{"jobs": "2", "steps": [["unpack", 1]]}]}',
        '{"a": [{"jobs": 2, "steps": [[[], 1]]}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_no_memory_and_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    assert durations.read(path, 2) == {}
    durations.keep(path, 2, {"zlib": {"unpack": 1.0}})
    assert list(json.loads(path.read_text())) == ["zlib"]
    assert list(durations.read(path, 2)) == ["zlib"]


def test_the_latest_time_is_preferably_one_with_as_many_jobs(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert durations.latest(path, 2) == {}
    durations.keep(path, 2, {"linux": {"unpack": 20.0, "build": 300.0}, "zlib": {"unpack": 1.0}})
    durations.keep(path, 8, {"linux": {"unpack": 20.0, "build": 80.0}})
    assert durations.latest(path, 2) == {"linux": 320.0, "zlib": 1.0}
    assert durations.latest(path, 8) == {"linux": 100.0, "zlib": 1.0}
    durations.keep(path, 2, {"linux": {"update": 5.0}})
    assert durations.latest(path, 2)["linux"] == 5.0
