"""The tables that a board and its named roots have in common: reading them."""

from __future__ import annotations

from quard.base.names import NAME
from quard.base.table import Table
from quard.boards.configuration import Choice
from quard.boards.trees import parted, placed
from quard.hardening import CHECKED
from quard.installed import Unhardened

FORMATS = ("ext4", "squashfs", "cpio.gz")


def name(table: Table, key: str, default: str | None = None) -> str:
    """Take the name of a file that some tree has, without its folder and its ending."""
    found = table.text(key, default)
    if not NAME.match(found):
        raise table.error(key, f"is not a valid name: {found!r}", "use a-z, digits, + . and -")
    return found


def flags(table: Table, default: str) -> str:
    """Take the compiler flags."""
    found = table.text("c", default)
    table.finish()
    return found


def image(table: Table, default: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Take the formats of the file systems, and the size of the ext4 one."""
    formats = table.texts("formats", default)
    for chosen in formats:
        if chosen not in FORMATS:
            raise table.error("formats", f"must be some of {', '.join(FORMATS)}, not {chosen!r}")
    size = table.number("size_mib", 0)
    if size < 0:
        raise table.error("size_mib", "must not be negative")
    table.finish()
    return formats, size


def unhardened(tables: tuple[Table, ...]) -> tuple[Unhardened, ...]:
    """Take the files that may lack defences."""
    return tuple(map(_unhardened, tables))


def _unhardened(table: Table) -> Unhardened:
    found = Unhardened(
        path=table.text("path"), lacks=table.texts("lacks"), reason=table.text("reason")
    )
    table.finish()
    if not found.path.startswith("/"):
        raise table.error("path", "must begin with /")
    if not found.lacks or not {*found.lacks} <= {*CHECKED}:
        raise table.error("lacks", f"must be some of {', '.join(CHECKED)}")
    if not found.reason.strip():
        raise table.error("reason", "must give a reason")
    return found


def features(table: Table) -> dict[tuple[str, str], Choice]:
    """Take the choices of features: (package, feature) -> choice."""
    choices: dict[tuple[str, str], Choice] = {}
    for package in table.names():
        inner = table.table(package)
        for feature in inner.names():
            match inner.value(feature):
                case True:
                    choices[package, feature] = "on"
                case False:
                    choices[package, feature] = "off"
                case "if-available":
                    choices[package, feature] = "if-available"
                case other:
                    raise inner.error(
                        feature, f'must be true, false or "if-available", not {other!r}'
                    )
    return choices


def services(table: Table) -> dict[str, bool]:
    """Take the choices of services: name -> whether the target starts it."""
    return {name: table.flag(name, True) for name in table.names()}


def fragments(table: Table, tree: str) -> dict[str, tuple[str, ...]]:
    """Take the Kconfig fragments: package -> names of files, see `paths`."""
    return {package: paths(table, package, tree) for package in table.names()}


def paths(
    table: Table, key: str, tree: str, default: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """Take paths in trees, where all users have the same files, as names of files.

    tree -- of the board's file: a path is in this tree, unless it names another one
    """
    return tuple(path(table, key, tree, written) for written in table.texts(key, default))


def path(table: Table, key: str, tree: str, written: str) -> str:
    """Return one of these paths as the name of a file; `written` is as the board has it."""
    _, inner = parted(written)
    whole = not inner.strip("./") or written.startswith(":")
    if whole or inner.startswith("/") or ".." in inner.split("/"):
        hint = "a link below the tree may point elsewhere: docs/adding-a-package.md"
        raise table.error(key, f"must contain paths below their tree, not {written!r}", hint)
    return placed(tree, written)
