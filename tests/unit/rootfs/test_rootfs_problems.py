"""problems: what /run/boot-status says as problems come and go, also several at once."""

from __future__ import annotations

import pytest
from guestroot import Guest, Result

SOURCED = ". /etc/init.d/problems; "


@pytest.fixture
def booted(guest: Guest) -> Guest:
    """A root whose rcS has ended."""
    guest.write("run/boot-status", "ok\n")
    return guest


def test_a_problem_changes_the_status_and_its_end_changes_it_back(booted: Guest) -> None:
    assert booted.shell(f"{SOURCED} set_problem lease.eth0 'no lease on eth0'") == Result(0, "")
    assert booted.read("run/boot-status") == "failed: no lease on eth0\n"
    assert booted.shell(f"{SOURCED} clear_problem lease.eth0") == Result(0, "")
    assert booted.read("run/boot-status") == "ok\n"


def test_problems_are_listed_in_the_order_of_their_names(booted: Guest) -> None:
    booted.shell(f"{SOURCED} set_problem b second; set_problem a first; set_problem b third")
    assert booted.read("run/boot-status") == "failed: first, third\n"


def test_before_the_boot_has_ended_nothing_is_written(guest: Guest) -> None:
    guest.shell(f"{SOURCED} set_problem a first; clear_problem b")
    assert not (guest.root / "run/boot-status").exists()


def test_solving_what_was_no_problem_writes_nothing(booted: Guest) -> None:
    before = (booted.root / "run/boot-status").stat().st_mtime_ns
    assert booted.shell(f"{SOURCED} clear_problem lease.eth0") == Result(0, "")
    assert (booted.root / "run/boot-status").stat().st_mtime_ns == before


def test_a_status_that_cannot_be_written_is_a_failure(booted: Guest) -> None:
    booted.readonly.append("run/boot-status")
    assert booted.shell(f"{SOURCED} set_problem a first").status != 0


def test_many_at_once_end_with_a_status_that_is_true(booted: Guest) -> None:
    changes = " ".join(
        f"(set_problem p{n} text{n}; {'clear_problem p' + str(n) if n % 2 else ':'}) &"
        for n in range(8)
    )
    assert booted.shell(f"{SOURCED} {changes} wait").status == 0
    assert booted.read("run/boot-status") == "failed: text0, text2, text4, text6\n"
