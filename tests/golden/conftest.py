"""The option that rewrites the golden plans."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden; pytest knows it when this folder is named on its command line."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        default=False,
        help="write the plans of packages/ to tests/golden/ instead of comparing them",
    )


@pytest.fixture
def update(pytestconfig: pytest.Config) -> bool:
    """Whether the plans are to be written; off where the option was never registered."""
    return bool(pytestconfig.getoption("--update-golden", default=False))
