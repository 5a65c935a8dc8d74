"""Owners, modes and attributes from recipes and the system's table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import translate

from quard.base import xattrs
from quard.base.attributes import CAPABILITY
from quard.base.errors import QuardError, together
from quard.base.names import nearest
from quard.base.plain import short
from quard.image.accounts import Accounts
from quard.image.only_needed import OnlyNeeded
from quard.image.system import Access, parse_mode
from quard.image.tree import Node, Tree
from quard.installed import Permission

_KINDS = {"directory": "folder", "char": "device", "block": "device"}
_WILD = re.compile(r"[*?[]")
_CORRECT = "correct the path or remove the permission"


def apply(
    tree: Tree,
    people: Accounts,
    wanted: Iterable[tuple[str, Permission]],
    system: Iterable[tuple[str, Access]],
    *,
    needed: OnlyNeeded | None = None,
    partial: bool = False,
) -> frozenset[str]:
    """Set owners, modes and attributes: first those of packages, by name, then the system's.

    The last row for a path decides all of them. A package can set those of its own paths and of
    paths that no package installs, but not of paths that only other packages install. Links have
    no mode of their own and are left out.

    needed  -- packages without their programs: their rows may match nothing
    partial -- the tree is incomplete: rows that match nothing are ignored
    Returns the paths that were named. Raises QuardError: bad-mode, unknown-user, permission-unused,
    unfit-file.
    """
    named: set[str] = set()
    needed = needed or OnlyNeeded({})
    wrong: list[QuardError] = []
    for package, where, pattern, access, found in _rows(tree, wanted, system):
        if not found and package not in needed and not partial:
            wrong.append(_unused(tree, where, pattern, needed, package))
        _set(tree, found, people, access, where)
        named.update(found)
        wrong += _unfit(tree, found, access, where)
    if wrong:
        raise together("the permissions", wrong)
    return frozenset(named)


def _rows(
    tree: Tree, wanted: Iterable[tuple[str, Permission]], system: Iterable[tuple[str, Access]]
) -> Iterator[tuple[str, str, str, Access, list[str]]]:
    """Yield the package ("" for the system), the origin, the pattern, the access and the paths."""
    for package, permission in sorted(wanted, key=lambda pair: pair[0]):
        where = f"a permission of package {package}"
        mode = parse_mode(permission.mode)
        if mode is None:
            raise QuardError(
                f"{where} has the mode {permission.mode!r}",
                reason="bad-mode",
                hint=f"write octal digits such as 0755 in the recipe of {package}",
            )
        given = xattrs.encode(permission.capabilities, permission.xattrs)
        access = Access(mode, permission.owner, permission.group, given)
        found = [p for p in _matches(tree, permission.path) if not _is_of_others(tree, p, package)]
        yield package, where, permission.path, access, found
    for path, access in system:
        yield "", "a [[permission]] of the system's table", path, access, _matches(tree, path)


def _is_of_others(tree: Tree, path: str, package: str) -> bool:
    """Return whether only other packages install a path, or all that is in a folder."""
    if path in tree.packages:
        return package not in tree.packages[path]
    if tree.owners[path].maker != "package":
        return False
    inside = [name for name in tree.nodes if name.startswith(f"{path}/")]
    return bool(inside) and all(
        tree.owners[name].maker == "package" and package not in tree.packages.get(name, ())
        for name in inside
    )


def _set(tree: Tree, found: Iterable[str], people: Accounts, access: Access, where: str) -> None:
    uid, gid = people.uid(access.owner, where), people.gid(access.group, where)
    for path in found:
        node = tree.nodes[path]
        node.mode, node.uid, node.gid = access.mode, uid, gid
        node.attributes = access.attributes


def _unfit(tree: Tree, found: Iterable[str], access: Access, where: str) -> Iterator[QuardError]:
    """Yield an error for each path for which the kernel would ignore or refuse the attributes."""
    names = [name for name, _ in access.attributes]
    for path in found:
        node, what = tree.nodes[path], ""
        if CAPABILITY in names:
            what = _no_program(node)
        elif names and node.kind not in ("file", "directory"):
            what = "is neither a file nor a folder"
        if what:
            given = "capabilities" if CAPABILITY in names else "attributes"
            yield QuardError(
                f"{where} gives {given} to /{short(path)}, which {what}",
                reason="unfit-file",
                hint="name the paths that are meant: a row is for all paths that its pattern has",
            )


def _no_program(node: Node) -> str:
    """Return why a file cannot have capabilities; "" if it can."""
    if node.content is None:
        return f"is a {_KINDS.get(node.kind, node.kind)}, not a program"
    if node.content.read(2) == b"#!":
        return "is a script: the kernel ignores capabilities of scripts"
    return ""


def _unused(tree: Tree, where: str, pattern: str, needed: OnlyNeeded, package: str) -> QuardError:
    node = tree.nodes.get(tree.canonical(pattern))
    if node is not None and node.kind == "link":
        return QuardError(
            f"{where} is for {pattern}, which is a link to {short(node.target)}",
            reason="permission-unused",
            hint="name the file that it leads to: a link has no mode of its own",
        )
    if node is not None:
        return QuardError(
            f"{where} is for {pattern}, which only other packages install",
            reason="permission-unused",
            hint="set it in the recipe of one of them, or in the system's table",
        )
    return QuardError(
        f"{where} is for {pattern}, which is not in the image",
        reason="permission-unused",
        hint=needed.remedy_if(
            _test(tree.canonical(pattern)), _meant(tree, pattern, package) or _CORRECT
        ),
    )


def _meant(tree: Tree, pattern: str, package: str) -> str:
    """Return the hint for a path that is missing: another spelling or folder may be meant.

    package -- only its own paths may be meant; "": any
    """
    if _WILD.search(pattern):
        return ""
    known: dict[str, str] = {}
    for path, node in sorted(tree.nodes.items()):
        if node.kind != "link" and package in ("", *tree.packages.get(path, ())):
            known.setdefault(path.rpartition("/")[2], f"/{path}")
    found = nearest(pattern.rpartition("/")[2], known)
    return f"did you mean {short(known[found[0]])!r}?" if found else ""


def _matches(tree: Tree, pattern: str) -> list[str]:
    """Return the paths to which a shell would expand the pattern, without links."""
    path = tree.canonical(pattern)
    if not _WILD.search(path):
        found = [path] if path in tree.nodes else []
    else:
        found = sorted(filter(_test(path), tree.nodes))
    return [name for name in found if tree.nodes[name].kind != "link"]


def unused(tree: Tree, package: str, wanted: Iterable[Permission]) -> Iterator[QuardError]:
    """Yield an error permission-unused for each row of a package that no image can use.

    tree -- all of an image but the other packages, hooks and the index of kernel modules
    """
    for permission in wanted:
        path = tree.canonical(permission.path)
        if path.startswith("usr/lib/modules"):
            continue
        if not _matches(tree, permission.path):
            where = f"a permission of package {package}"
            yield _unused(tree, where, permission.path, OnlyNeeded({}), package)


def _test(path: str) -> Callable[[str], bool]:
    """Return whether a shell would expand a path, which may have wildcards, to another one."""
    parts = [re.compile(translate(part)) for part in path.split("/")]
    return lambda name: _fits(name.split("/"), parts)


def _fits(names: Sequence[str], parts: Sequence[re.Pattern[str]]) -> bool:
    return len(names) == len(parts) and all(
        part.match(name) for name, part in zip(names, parts, strict=True)
    )
