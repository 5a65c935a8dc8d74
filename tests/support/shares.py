"""Which of the tests that take long are in a full run.

Some need minutes to build a board of their own, and some modules take half a minute or more. A
commit has one share of them, which follows from its id, so that a few commits run all. Everything
else is in every run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

ALL = "all"
SHARES = ("modules", "musl", "python", "default")
"""Three are named for a board that is built for them alone: its kernel, C library or packages. The
last one has only tests that need none of these boards.
"""
LONG: Mapping[str, str] = {
    "boot/test_capable_programs.py": "musl",
    "boot/test_console_size.py": "python",
    "boot/test_data_disk.py": "musl",
    "boot/test_dhcp_server.py": "musl",
    "boot/test_faults.py": "python",
    "boot/test_lean_boots.py": "default",
    "boot/test_lifecycle.py": "musl",
    "boot/test_log_and_share.py": "musl",
    "boot/test_many_boots.py": "musl",
    "boot/test_measuring.py": "musl",
    "boot/test_menuconfig.py": "musl",
    "boot/test_pinned_tools.py": "default",
    "boot/test_real_packages.py": "python",
    "boot/test_share_cache.py": "python",
    "incremental/test_configure.py": "musl",
    "incremental/test_cutoff_soundness.py": "default",
    "incremental/test_distcc.py": "python",
    "incremental/test_full_disk_with_a_cache.py": "python",
    "incremental/test_goes_on.py": "default",
    "incremental/test_grpc_cache_used.py": "python",
    "incremental/test_hooks.py": "musl",
    "incremental/test_live_view.py": "default",
    "incremental/test_lost_results.py": "python",
    "incremental/test_natives.py": "python",
    "incremental/test_network_of_a_cache.py": "musl",
    "incremental/test_scale.py": "default",
    "incremental/test_scheduling.py": "python",
    "incremental/test_state_files.py": "default",
    "incremental/test_telling.py": "musl",
    "incremental/test_workers_by_proxy.py": "python",
    "unit/remote/test_network_gone.py": "default",
    "unit/test_bench_parts.py": "default",
}
"""Module of tests -> its share. The kernel of the board with modules takes longest to build, so its
share has no others.
"""


def of_commit(commit: str) -> str:
    """Return the share of a commit, whose id is at least eight hexadecimal digits."""
    return SHARES[int(commit[:8], 16) % len(SHARES)]


def head(project: Path) -> str:
    """Return the id of the checkout's commit; "" outside of a repository."""
    words = ("git", "rev-parse", "--verify", "--quiet", "HEAD")
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def chosen(asked: str, project: Path, *, whole: bool) -> str:
    """Return the share that a run has, or ALL.

    asked -- a share, ALL, or "" for the commit's
    whole -- nobody has named tests: who names some gets them
    Raises ValueError for an unknown share.
    """
    if asked and asked not in (*SHARES, ALL):
        raise ValueError(f"unknown share {asked!r}; there are {', '.join(SHARES)} and {ALL}")
    if asked or not whole:
        return asked or ALL
    commit = head(project)
    return of_commit(commit) if commit else ALL


def takes_part(marked: str, share: str) -> bool:
    """Return whether a test is in a run. Raises ValueError for an unknown mark.

    marked -- the share that the test is marked with; "" for none
    """
    if marked and marked not in SHARES:
        raise ValueError(f"a test is marked with an unknown share: {marked!r}")
    return not marked or share in (marked, ALL)
