"""Checks for files that the guest cannot run or read: line ends, byte order marks, modes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate

from quard.base.errors import QuardError
from quard.base.plain import short
from quard.image.tree import Node, Origin, Tree

_MOST = 1 << 20
"""Largest file to check, in bytes: scripts that people write are shorter."""
_READ = re.compile(
    "|".join(
        translate(pattern)
        for pattern in (
            *("etc/*.conf", "etc/*tab", "etc/*.d/*", "etc/default/*", "etc/network/*"),
            *("etc/group", "etc/gshadow", "etc/hostname", "etc/hosts", "etc/modules"),
            *("etc/passwd", "etc/profile", "etc/protocols", "etc/securetty", "etc/services"),
            *("etc/shadow", "etc/shells", "etc/ssh/*config", "usr/share/udhcpc/*"),
        )
    )
)
"""Files that the guest's own programs and scripts read line by line."""
_RUN = re.compile(
    r"init|usr/sbin/(overlay-)?init|etc/init\.d/rc[SK]|etc/init\.d/S..[^/]*(?<!\.sh)"
    r"|etc/network/if-(pre-up|up|down|post-down)\.d/[^/]+"
    r"|usr/share/udhcpc/default\.script(\.d/[^/]+)?|www/cgi-bin/[^/]+"
)
"""Files that are run because of their path, or skipped if not executable."""
_HOOK = re.compile(r"etc/network/if-[a-z-]+\.d/([^/]+)")
_HOOK_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SHELL = re.compile(rb"#![ \t]*[^ \t\r\n]*/((env|busybox)[ \t]+)?[a-z]*sh[ \t\r\n]")
_MARKS = {
    b"\xef\xbb\xbf": "a byte order mark of UTF-8",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def errors(tree: Tree) -> Iterator[QuardError]:
    """Yield an error for each file that the guest would fail to run or to read.

    Reasons: line-ends, text-encoding, not-executable, hook-name.
    """
    for path, node in sorted(tree.nodes.items()):
        owner = tree.owners[path]
        if node.kind in ("file", "link") and _RUN.fullmatch(path):
            yield from _place_errors(tree, path, owner)
        if node.kind == "file":
            yield from _text_errors(path, node, owner)


def _place_errors(tree: Tree, path: str, owner: Origin) -> Iterator[QuardError]:
    try:
        found = tree.nodes.get(tree.resolve(path))
    except QuardError:
        return  # a loop of links, which `check` reports
    if found is not None and found.kind == "file" and not found.mode & 0o111:
        yield QuardError(
            f"/{short(path)} of {owner} is not executable, so the guest would not run it",
            reason="not-executable",
            hint="chmod +x FILE (git keeps it: git update-index --chmod=+x FILE), or move it away",
        )
    hook = _HOOK.fullmatch(path)
    if hook and not _HOOK_NAME.fullmatch(hook[1]):
        yield QuardError(
            f"/{short(path)} of {owner} has a name that run-parts skips",
            reason="hook-name",
            hint="name hooks with letters, digits, - and _ only",
        )


def _text_errors(path: str, node: Node, owner: Origin) -> Iterator[QuardError]:
    assert node.content is not None, "a file has content"
    read = _READ.match(path) is not None
    if not read and not node.mode & 0o111:
        return
    start = node.content.read(256)
    for mark, what in _MARKS.items():
        if start.startswith(mark) and (read or start[len(mark) :].startswith(b"#!")):
            yield QuardError(
                f"/{short(path)} of {owner} begins with {what}, which the guest cannot read",
                reason="text-encoding",
                hint="save it as UTF-8 without a byte order mark",
            )
            return
    if not read and not start.startswith(b"#!"):
        return
    text = node.content.read(_MOST)
    line = text.partition(b"\n")[0]
    detail = ""
    if start.startswith(b"#!") and line.endswith(b"\r"):
        name = line[2:].decode(errors="replace").strip(" \t").rpartition("/")[2]
        detail = f"the kernel would look for an interpreter named {name!r}"
    elif b"\0" in text or not (read or _SHELL.match(start)) or b"\r\n" not in text:
        return
    yield QuardError(
        f"/{short(path)} of {owner} has Windows line endings (CR LF)",
        detail=detail,
        reason="line-ends",
        hint="sed -i 's/\\r$//' FILE; if all files are like that, clone the repository again with"
        " -c core.autocrlf=false",
    )
