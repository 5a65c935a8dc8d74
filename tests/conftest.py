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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden; pytest knows it when a folder of tests is named on its command line."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        default=False,
        help="write what is on file in tests/golden/ and docs/errors/ instead of comparing it",
    )


@pytest.fixture
def update(pytestconfig: pytest.Config) -> bool:
    """Whether what is on file is to be written; off where the option was never registered."""
    return bool(pytestconfig.getoption("--update-golden", default=False))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the collected tests by their folder; within one their order stays."""
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(_TESTS).parts[0]))
