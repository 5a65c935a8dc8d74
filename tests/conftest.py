"""Order of the tests: fast ones first, so that a typo is not found after a build of minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

_ORDER = ("unit", "golden", "incremental", "boot")
_TESTS = Path(__file__).parent

pytest.register_assert_rewrite("boot.checks")  # a failed check shows what it compared


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the collected tests by their folder; within one their order stays."""
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(_TESTS).parts[0]))
