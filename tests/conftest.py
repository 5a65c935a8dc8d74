"""Which tests run, and their order: a typo is not found after a build of minutes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shares

import on_file

_ORDER = ("unit", "golden", "incremental", "boot")
_TESTS = Path(__file__).parent
_ON_FILE = "on file"
_SHARE = pytest.StashKey[str]()

# Most tests start the engine, which takes half as long again where it must be compiled each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest.register_assert_rewrite("boot.checks")  # a failed check shows what it compared


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options; pytest knows them when a folder of tests is named on its command line."""
    parser.addoption(
        "--share",
        default="",
        choices=("", *shares.SHARES, shares.ALL),
        help="which tests that take long run (default: those of the commit)",
    )
    parser.addoption(
        "--update-golden",
        action="store_true",
        default=False,
        help="write what is on file in tests/golden/ and docs/errors/ instead of comparing it",
    )
    parser.addoption(
        "--tree",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a product tree whose plans tests/golden/test_tree_plans.py compares with its own"
        " folder golden/, after the trees that it uses",
    )


@pytest.fixture
def update(pytestconfig: pytest.Config) -> bool:
    """Whether what is on file is to be written; off where the option was never registered."""
    return bool(pytestconfig.getoption("--update-golden", default=False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Send what a test has written to the process that prints."""
    try:
        return (yield)
    finally:
        item.user_properties += [(_ON_FILE, each) for each in on_file.updates()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which files --update-golden has written."""
    if not terminalreporter.config.getoption("--update-golden", default=False):
        return
    reports = (each for found in terminalreporter.stats.values() for each in found)
    noted: list[Any] = [
        update
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, update in report.user_properties
        if name == _ON_FILE
    ]
    terminalreporter.section("--update-golden", sep="-")
    terminalreporter.write_line(on_file.told((how, shown) for how, shown in noted))


def pytest_configure(config: pytest.Config) -> None:
    """Choose the share of this run; the processes that run tests have that of their parent."""
    _heed_interrupts()
    given: dict[str, str] = getattr(config, "workerinput", {})
    config.stash[_SHARE] = given.get("share", "") or shares.chosen(
        str(config.getoption("--share", default="")), _TESTS.parent, whole=_is_whole(config)
    )


def _heed_interrupts() -> None:
    """Let tests interrupt what they start: in a background job of a shell, SIGINT is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_whole(config: pytest.Config) -> bool:
    """Return whether no tests were named."""
    narrowed = any(config.getoption(name, default="") for name in ("-k", "-m", "--lf"))
    return config.args_source == pytest.Config.ArgsSource.TESTPATHS and not narrowed


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave out of the traceback what pytest cannot show, so that Ctrl-C ends without another one.

    Where a signal arrives between two lines, Python does not know the line (traceback.tb_lineno).
    """
    excinfo.traceback = excinfo.traceback.filter(_has_line)


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process that runs tests which share this run has."""
    node.workerinput["share"] = node.config.stash[_SHARE]


def pytest_report_header(config: pytest.Config) -> str:
    """Say which tests are left out."""
    share = config.stash[_SHARE]
    others = [name for name in shares.SHARES if not shares.takes_part(name, share)]
    left = f"; other commits run {', '.join(others)} (--share=all runs all)" if others else ""
    return f"share of the tests that take long: {share}{left}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out other shares. Sort by folder; within one the order stays."""
    left_out = [item for item in items if not _takes_part(item, config.stash[_SHARE])]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=lambda item: _ORDER.index(item.path.relative_to(_TESTS).parts[0]))


def _takes_part(item: pytest.Item, share: str) -> bool:
    mark = item.get_closest_marker("share")
    module = item.path.relative_to(_TESTS).as_posix()
    return shares.takes_part(mark.args[0] if mark else shares.LONG.get(module, ""), share)
