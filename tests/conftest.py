"""Order of the tests, fast ones first: a typo is not found after a build of minutes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ORDER = ("unit", "golden", "incremental", "boot")
_TESTS = Path(__file__).parent

# Most tests start the engine, which takes half as long again where it must be compiled each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest.register_assert_rewrite("boot.checks")  # a failed check shows what it compared


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the collected tests by their folder; within one their order stays."""
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(_TESTS).parts[0]))
