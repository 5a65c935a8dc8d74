"""What a run did, for programs and for people."""

from __future__ import annotations

import threading

from quard.ledger.summary import Built, Summary


def test_a_run_that_did_nothing_says_so() -> None:
    summary = Summary("one")
    assert summary.line(0.31) == "one: everything is up to date"
    assert not summary.says_something
    assert summary.as_json(("b", "a"), 0.314159) == {
        "board": "one",
        "seconds": 0.31,
        "built": [],
        "restored": [],
        "up_to_date": ["a", "b"],
        "images": [],
        "failed": [],
        "idle": None,
        "interrupted": False,
        "unfinished": [],
    }


def test_every_package_is_in_exactly_one_list_and_lists_are_sorted() -> None:
    summary = Summary("one")
    summary.add_built(Built("zlib", 2.718, ("version: 1 -> 2", "feature x: off -> on")))
    summary.add_built(Built("bash", 1.0, ()))
    summary.add_restored("openssl")
    summary.add_restored("linux")
    summary.add_image("rootfs.tar")
    summary.add_image("Image")
    summary.add_failed("openssh")
    assert summary.says_something
    assert summary.as_json(("busybox",), 65.4321, idle=0.03129) == {
        "board": "one",
        "seconds": 65.43,
        "built": [
            {"name": "bash", "seconds": 1.0, "why": []},
            {
                "name": "zlib",
                "seconds": 2.72,
                "why": ["version: 1 -> 2", "feature x: off -> on"],
            },
        ],
        "restored": ["linux", "openssl"],
        "up_to_date": ["busybox"],
        "images": ["Image", "rootfs.tar"],
        "failed": ["openssh"],
        "idle": 0.0313,
        "interrupted": False,
        "unfinished": [],
    }
    assert summary.line(65.4321) == (
        "one: 2 built, 2 from the store, 2 image files made, failed: openssh in 65.4 s"
    )
    assert summary.line(65.4321, idle=0.03129).endswith(" in 65.4 s, 3.1 % idle")


def test_it_says_what_workers_have_built() -> None:
    summary = Summary("one")
    summary.add_built(Built("zlib", 2.5, (), worker="w1"))
    assert not summary.used_slots
    assert summary.as_json((), 3.0)["built"] == [
        {"name": "zlib", "seconds": 2.5, "why": [], "worker": "w1"}
    ]
    summary.add_built(Built("bash", 1.0, ()))
    assert summary.used_slots
    assert summary.line(3.0, idle=0.5) == "one: 2 built (1 by workers) in 3.0 s, 50.0 % idle"


def test_a_run_that_was_ended_says_what_it_was_at() -> None:
    summary = Summary("one")
    summary.add_unfinished("zlib")
    summary.add_unfinished("bash")
    found = summary.as_json((), 3.0, interrupted=True)
    assert (found["interrupted"], found["unfinished"]) == (True, ["bash", "zlib"])


def test_threads_lose_nothing() -> None:
    summary = Summary("one")

    def add(number: int) -> None:
        for count in range(200):
            summary.add_built(Built(f"{number}-{count}", 0.0, ()))
            summary.add_restored(f"r{number}-{count}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({built.name for built in summary.built}) == 800
    assert len(set(summary.restored)) == 800
