"""Settings of one site or user: `local.toml`, and the same names on the command line.

On the command line a setting is written `table.key=value`; list items are separated by commas.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quard.base import given
from quard.base.errors import QuardError
from quard.base.names import meant
from quard.base.record import Record, record
from quard.base.table import Table, read
from quard.boards.keys import HINT, authorized_keys, bad_key
from quard.boards.values import address, size

if TYPE_CHECKING:
    from quard.boards.launching import Launching
    from quard.boards.remote import Remote
    from quard.boards.trees import Trees

_REASON = "bad-setting"
_WHERE = "local.toml or the command line"
_LISTS = (
    *("sources.mirrors", "tools.mirrors", "login.authorized_keys", "login.authorized_key_files"),
    *("compiler.hosts", "trees.paths"),
)
_FLAGS = ("cache.push", "sources.offline", "sources.strict", "remote.execute")
_NUMBERS = ("sources.largest_mib", "remote.jobs", "remote.queue")
_LARGEST_MIB = 2048
_REGION = "[a-z0-9-]{1,40}"
TABLES = (
    *("override", "cache", "sources", "sandbox", "compiler", "login", "tools", "remote"),
    *("sites", "trees"),
)


@record(kw_only=True)
class Settings(Record):
    """A site's choices.

    override        -- package -> local source tree that is built instead of the archive
    cache           -- folder of the store and of downloaded archives; None: the user's cache folder
    cache_url       -- address of the remote cache; "": none
    cache_push      -- results are sent there
    cache_certificate -- file of the certificate and key for the remote cache; None: none
    cache_s3_region -- region of the bucket behind it, for which requests are signed; "": none
    cache_trust     -- file of the keys whose results are taken from there; None: all are taken
    cache_sign      -- file of the key that signs results that are sent; None: they are not signed
    remote          -- the workers that build packages; None: they are built here only
    limit           -- size in bytes to which each store is shrunk; None: no limit
    sources_folder  -- folder that is searched for archives before any download
    mirrors         -- base addresses tried after the recipe's addresses
    sites           -- base addresses of named sites, tried before the known ones
    offline         -- use no network address
    strict_sources  -- accept only upstream's archive: no alternate, and no result built from one
    largest_mib     -- size limit of an archive whose recipe gives no size
    sandbox         -- auto: bubblewrap if it can run; bwrap: required; none: not used
    authorized_keys -- public keys of root besides the board's
    tools_root      -- auto: the pinned tools if they can be used; pinned: required; machine: the
                       build machine's own
    tools_mirrors   -- base addresses of Debian archives, tried before those of apt
    launching       -- what starts the compiler; None: no setting says anything about that
    trees           -- folders of product trees, see quard.boards.trees
    """

    override: Mapping[str, Path]
    cache: Path | None
    cache_url: str
    cache_push: bool
    cache_certificate: Path | None
    cache_s3_region: str
    cache_trust: Path | None
    cache_sign: Path | None
    remote: Remote | None
    limit: int | None
    sources_folder: Path | None
    mirrors: tuple[str, ...]
    sites: Mapping[str, tuple[str, ...]]
    offline: bool
    strict_sources: bool
    largest_mib: int
    sandbox: str
    authorized_keys: tuple[str, ...]
    tools_root: str
    tools_mirrors: tuple[str, ...]
    launching: Launching | None
    trees: tuple[Path, ...]


def load(project: Path, arguments: Mapping[str, str], home: Path | None) -> Settings:
    """Return the settings of `project`'s local.toml, overridden by those of the command line.

    arguments -- `table.key` -> text; other arguments are ignored
    home      -- the folder that `~` in a path stands for; None if there is none
    Raises QuardError bad-setting.
    """
    path = project / "local.toml"
    # A dangling link is meant to be read as well: it must be an error.
    there = os.path.lexists(path)
    table = read(path, "local.toml", _REASON) if there else Table({}, "", _REASON)
    data = {name: _content(table.table(name)) for name in TABLES}
    for key, text in sorted(arguments.items()):
        name, dot, inner = key.partition(".")
        if dot and name in TABLES:
            data[name][inner] = _value(key, text)
    table.finish()
    top = Table(data, _WHERE, _REASON)
    settings = _settings(top, project, home)
    top.finish()
    return settings


def require_sites(chosen: Settings, trees: Trees) -> None:
    """Check that the sites with addresses of their own are known. Raises QuardError bad-setting."""
    if not chosen.sites:
        return
    from quard import sites  # noqa: PLC0415 - few builds have such settings

    known = sorted(sites.known(trees.sites))
    table = Table({"sites": chosen.sites}, _WHERE, _REASON).table("sites")
    for name in chosen.sites:
        if name not in known:
            hint = meant(name, known, f"known: {', '.join(known)}")
            raise table.error(name, "is no known site", hint)


def named_path(project: Path, text: str, home: Path | None) -> Path:
    """Return the path that a user's text stands for; `~` is the home folder. Raises QuardError."""
    if text != "~" and not text.startswith("~/"):
        return project / text
    if home is None:
        raise QuardError(
            f"{text} names a home folder, and this user has none",
            reason=_REASON,
            hint="write the full path",
        )
    return home / text[2:]


def is_setting(argument: str) -> bool:
    """Return whether a command-line name is a setting."""
    name, dot, _ = argument.partition(".")
    return bool(dot) and name in TABLES


def _content(table: Table) -> dict[str, Any]:
    return {key: table.value(key) for key in table.names()}


def _value(key: str, text: str) -> Any:
    if key in _LISTS or key.startswith("sites."):
        return [part for part in text.split(",") if part]
    if key in _FLAGS:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        return words.get(text.lower(), text)
    if key in _NUMBERS and text.isdecimal() and text.isascii():
        return int(text)
    return text


def _settings(top: Table, project: Path, home: Path | None) -> Settings:
    def path(text: str) -> Path:
        return named_path(project, text, home)

    cache, sources, login = top.table("cache"), top.table("sources"), top.table("login")
    sandbox, compiler, tools = top.table("sandbox"), top.table("compiler"), top.table("tools")
    elsewhere, trees, keys = top.table("remote"), top.table("trees"), authorized_keys(login)
    for name in login.texts("authorized_key_files", ()):
        keys += _keys(login, path(name))
    folder, stored = sources.text("dir", ""), cache.text("dir", "")
    settings = Settings(
        override=_override(top.table("override"), path),
        cache=path(stored) if stored else None,
        cache_url=address(cache, "url", ("grpc", "grpcs")),
        cache_push=cache.flag("push", True),
        cache_certificate=_file(cache, "certificate", path),
        cache_s3_region=_region(cache),
        cache_trust=_file(cache, "trust", path),
        cache_sign=_file(cache, "sign", path),
        remote=_remote(elsewhere, path),
        limit=size(cache, "limit"),
        sources_folder=_folder(sources, "dir", path(folder)) if folder else None,
        mirrors=sources.texts("mirrors", ()),
        sites=_sites(top.table("sites")),
        offline=sources.flag("offline", False),
        strict_sources=sources.flag("strict", False),
        largest_mib=_largest(sources),
        sandbox=sandbox.choice("mode", ("auto", "bwrap", "none"), "auto"),
        authorized_keys=keys,
        tools_root=tools.choice("root", ("auto", "pinned", "machine"), "auto"),
        tools_mirrors=tools.texts("mirrors", ()),
        launching=_launching(compiler),
        trees=tuple(map(path, trees.texts("paths", ()))),
    )
    for table in (cache, sources, login, sandbox, compiler, tools, elsewhere, trees):
        table.finish()
    return settings


def _sites(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the base addresses that are tried first, by the names of sites (`require_sites`)."""
    return {name: table.texts(name) for name in table.names()}


def _override(override: Table, path: Callable[[str], Path]) -> dict[str, Path]:
    """Return the folders that packages are built from, by the packages' names."""
    texts = {name: override.text(name) for name in override.names()}
    trees = {name: path(text) for name, text in texts.items()}
    for name, tree in sorted(trees.items()):
        if not texts[name]:
            raise override.error(name, "does not name a folder")
        _folder(override, name, tree)
    return trees


def _remote(table: Table, path: Callable[[str], Path]) -> Remote | None:
    if not table.names():
        return None
    from quard.boards import remote  # noqa: PLC0415 - its classes are 1 % of a null build

    return remote.read(table, lambda table, key: _file(table, key, path))


def _launching(table: Table) -> Launching | None:
    if not table.names():
        return None
    from quard.boards import launching  # noqa: PLC0415 - likewise

    return launching.read(table)


def _region(cache: Table) -> str:
    """Return the region for which requests to the remote cache are signed; "": they are not."""
    text = cache.text("s3_region", "")
    if text and not re.fullmatch(_REGION, text):
        raise cache.error("s3_region", f"is not a region: {text!r}", 'write it like "eu-central-1"')
    return text


def _file(table: Table, key: str, path: Callable[[str], Path]) -> Path | None:
    """Return the file that a key names, which must exist; None without the key."""
    text = table.text(key, "")
    if not text:
        return None
    found = path(text)
    if not found.is_file():
        raise table.error(key, f"names a file that does not exist: {found}")
    return found


def _largest(sources: Table) -> int:
    found = sources.number("largest_mib", _LARGEST_MIB)
    if found < 1:
        raise sources.error("largest_mib", "must be 1 or more")
    return found


def _keys(table: Table, path: Path) -> tuple[str, ...]:
    """Return the keys of a file. Lines that sshd(8) ignores in such a file are ignored here."""
    name, keys = "authorized_key_files", list[str]()
    try:
        text = given.text(path, "utf-8-sig")
    except OSError as error:
        raise table.error(name, f"names {path}, which cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise table.error(name, f"names {path}, which is not UTF-8: {error}") from error
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if line and not line.startswith("#"):
            if problem := bad_key(line):
                raise table.error(name, f"names {path}, whose line {number} {problem}", HINT)
            keys.append(line)
    if not keys:
        raise table.error(name, f"names {path}, which contains no key", HINT)
    return tuple(keys)


def _folder(table: Table, key: str, path: Path) -> Path:
    """Return a folder, which must exist."""
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        raise table.error(key, f"names a folder that does not exist: {path}") from None
    except OSError as error:
        raise table.error(
            key, f"names a folder that cannot be used: {path}: {error.strerror}"
        ) from error
    if not stat.S_ISDIR(kind):
        raise table.error(key, f"names something that is not a folder: {path}")
    return path
