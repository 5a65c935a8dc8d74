"""Generated files (/etc/passwd, /etc/os-release, ...). Edit the tables that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from quard.base.errors import QuardError
from quard.base.plain import is_printable
from quard.boards.keys import HINT, bad_key
from quard.image.accounts import Accounts
from quard.image.content import Content
from quard.image.tree import Node

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_RELEASE_FIELD = re.compile(r"[A-Z][A-Z0-9_]*")
_LONGEST_HOSTNAME = 64
"""HOST_NAME_MAX of Linux (gethostname(2))."""


_ACCOUNTS = "its lines come from [[user]] and [[group]] of the system's table and from recipes"
_PASSWORDS = f"{_ACCOUNTS}; root's password is login.root_password in the board's file"
_HOSTNAME = "it is `hostname` in the board's file"
_RELEASE = "the build writes it, with the board's name"
_KEYS = "it is login.authorized_keys in the board's file or in local.toml"


def files(
    hostname: str, release: Mapping[str, str], keys: Sequence[str], people: Accounts
) -> Iterator[tuple[str, Node, str]]:
    """Yield path, node and origin of every generated file.

    hostname -- of the target, plain or with a domain
    release  -- fields of os-release(5)
    keys     -- public keys for logging in as root
    Raises QuardError: bad-hostname, bad-release, bad-key.
    """
    yield "etc/passwd", _file(people.passwd()), _ACCOUNTS
    yield "etc/group", _file(people.group()), _ACCOUNTS
    yield "etc/shadow", _file(people.shadow(), 0o600), _PASSWORDS
    yield "etc/hostname", _file(_hostname(hostname) + "\n"), _HOSTNAME
    yield "usr/lib/os-release", _file(_release(release)), _RELEASE
    yield "etc/os-release", Node("link", 0o777, target="../usr/lib/os-release"), _RELEASE
    if keys:
        home = next(user.home for user in people.users if user.name == "root").strip("/")
        yield f"{home}/.ssh", Node("directory", 0o700), _KEYS
        text = "".join(f"{_key(key)}\n" for key in dict.fromkeys(keys))
        yield f"{home}/.ssh/authorized_keys", _file(text, 0o600), _KEYS


def _file(text: str, mode: int = 0o644) -> Node:
    data = text.encode()
    return Node("file", mode, content=Content(len(data), data))


def _hostname(name: str) -> str:
    if len(name) <= _LONGEST_HOSTNAME and all(_LABEL.fullmatch(part) for part in name.split(".")):
        return name
    raise QuardError(
        f"{name!r} is not a host name",
        detail="letters, digits and inner dashes, 63 at most between dots, 64 in all (RFC 1123)",
        reason="bad-hostname",
        hint="correct `hostname` in the board's file",
    )


def _release(fields: Mapping[str, str]) -> str:
    lines = []
    for name, value in sorted(fields.items()):
        if not _RELEASE_FIELD.fullmatch(name) or not is_printable(value):
            raise QuardError(
                f"os-release cannot have the field {name!r} with the value {value!r}",
                detail="names consist of capital letters, digits and _; values are one line",
                reason="bad-release",
                hint="correct the image's release fields",
            )
        quoted = re.sub(r'(["$`\\])', r"\\\1", value)
        lines.append(f'{name}="{quoted}"\n')
    return "".join(lines)


def _key(line: str) -> str:
    """Return a line of authorized_keys."""
    line = line.strip()
    if problem := bad_key(line):
        raise QuardError(f"an authorized key {problem}", reason="bad-key", hint=HINT)
    return line
