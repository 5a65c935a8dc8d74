"""Twenty boots without a failure: races show that a single boot hides."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boot import checks
from boot.guest import Guest
from boot.lines import complaints

pytestmark = [pytest.mark.boot, pytest.mark.long]

IN_A_ROW = 10


def boot_in_a_row(script: Path, folder: Path, settings: dict[str, str]) -> list[float]:
    """Boot, log in and power off again and again; return the seconds that each took."""
    times = []
    for number in range(1, IN_A_ROW + 1):
        begin = time.monotonic()
        with Guest(script, folder, settings) as guest:
            log = guest.boot()
            assert complaints(log) == [], f"boot {number} in {folder}"
            assert f"lease of {checks.ADDRESS} obtained" in log, f"boot {number}:\n{log}"
            guest.log_in()
            assert guest.check("cat /run/boot-status") == "ok"
            checks.power_off(guest)
        times.append(time.monotonic() - begin)
    return times


def test_twenty_boots_in_two_rows_succeed(images: Path, tmp_path: Path) -> None:
    """One row is of first boots, which make host keys; the other goes on with one disk."""
    rows = {"first": {"SNAPSHOT": "1"}, "again": {}}
    with ThreadPoolExecutor(len(rows)) as pool:
        running = {
            name: pool.submit(boot_in_a_row, images / "run.sh", tmp_path / name, settings)
            for name, settings in rows.items()
        }
        times = {name: row.result() for name, row in running.items()}
    assert [len(row) for row in times.values()] == [IN_A_ROW] * len(rows)
    for name, row in times.items():
        print(f"{name}: {min(row):.1f} to {max(row):.1f} s a boot")  # noqa: T201
