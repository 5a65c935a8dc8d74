"""Checks for errors on the target: foreign programs, missing libraries, dangling links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quard.base.errors import QuardError
from quard.base.names import nearest
from quard.base.plain import short
from quard.image import scripts, tables, time64
from quard.image.accounts import Accounts
from quard.image.content import Content
from quard.image.elf_content import opened_elf
from quard.image.hardened import Hardened
from quard.image.only_needed import OnlyNeeded
from quard.image.tree import Node, Tree
from quard.parts import elf
from quard.parts.foreign import FIRMWARE, foreign
from quard.parts.stage import below
from quard.target import Target

VOLATILE = ("dev", "proc", "run", "sys", "tmp", "var")
"""Top folders whose content a running system creates: links may point there."""
_PROGRAM_FOLDERS = ("usr/bin", "usr/sbin")


def errors(
    tree: Tree,
    target: Target,
    people: Accounts,
    dangling: Sequence[str],
    hardened: Hardened,
    needed: OnlyNeeded,
    times: time64.Times,
) -> Iterator[QuardError]:
    """Yield an error for everything that cannot work on the target, links first, then by path.

    dangling -- absolute paths of links that may dangle
    needed   -- names the package that has something missing, and notes what is linked
    times    -- notes the programs that do not show what they call
    Reasons: dangling-link, link-loop, wrong-architecture, bad-elf, missing-library, short-time,
    missing-interpreter, missing-shell, those of `hardened`, of `scripts` and of `tables`.
    """
    yield from _links(tree, {tree.canonical(path) for path in dangling}, needed)
    yield from _files(tree, target, hardened, needed, times)
    yield from scripts.errors(tree)
    yield from tables.errors(tree, people)
    yield from _shells(tree, people, needed)


def _files(
    tree: Tree, target: Target, hardened: Hardened, needed: OnlyNeeded, times: time64.Times
) -> Iterator[QuardError]:
    seen: set[Node] = set()
    for path, node, content in tree.files():
        if node in seen:
            continue
        seen.add(node)
        start = content.read(256)
        if start.startswith(b"\x7fELF"):
            yield from _elf_errors(tree, path, content, target, hardened, needed, times)
        elif start.startswith(b"#!") and node.mode & 0o111:
            yield from _script_errors(tree, path, start, needed)
    yield from hardened.unused()


def _shells(tree: Tree, people: Accounts, needed: OnlyNeeded) -> Iterator[QuardError]:
    for user in people.users:
        if not _exists(tree, user.shell):
            yield QuardError(
                f"the shell of {user.name}, {user.shell}, is not in the image",
                reason="missing-shell",
                hint=needed.remedy(
                    [tree.canonical(user.shell)],
                    "add the package that installs it, or give the account another shell",
                ),
            )


def _links(tree: Tree, dangling: set[str], needed: OnlyNeeded) -> Iterator[QuardError]:
    for path, node in sorted(tree.nodes.items()):
        if node.kind != "link" or path in dangling:
            continue
        try:
            end = tree.resolve(path)
        except QuardError as error:  # a loop of links
            yield error
            continue
        if end and end not in tree.nodes and end.split("/")[0] not in VOLATILE:
            target, landing = short(node.target), short(f"/{end}")
            yield QuardError(
                f"/{short(path)} of {tree.owners[path]} links to {target}, "
                "which is not in the image",
                detail="" if landing == target else f"it points to {landing}",
                reason="dangling-link",
                hint=needed.remedy(
                    [end],
                    "correct the link, or list its path under `dangling` in the system's table",
                ),
            )


def _elf_errors(
    tree: Tree,
    path: str,
    content: Content,
    target: Target,
    hardened: Hardened,
    needed: OnlyNeeded,
    times: time64.Times,
) -> Iterator[QuardError]:
    owner = tree.owners[path]
    try:
        with opened_elf(content) as view:
            frame = elf.frame(view)
            ours = frame.machine == target.elf.machine
            short_times = times.short(path, view) if ours else ()
    except QuardError as error:
        yield QuardError(
            f"/{path} of {owner} is a damaged ELF file",
            detail=error.detail,
            reason="bad-elf",
            hint="rebuild what installs it",
        )
        return
    if other := foreign(target.elf, path, frame):
        yield QuardError(
            f"/{path} of {owner} is for another machine",
            detail=other,
            reason="wrong-architecture",
            hint="its build used a compiler other than the target's",
        )
        return
    if frame.machine != target.elf.machine or below(path, FIRMWARE):
        return
    yield from hardened.errors(tree, path, frame)
    yield from time64.errors(tree, path, short_times)
    times.pass_over(path, frame)
    yield from _libraries(tree, path, frame, target, needed)


def _libraries(
    tree: Tree, path: str, frame: elf.Elf, target: Target, needed: OnlyNeeded
) -> Iterator[QuardError]:
    """Yield an error for each library that a file needs and that is missing, and for the loader."""
    if frame.interp and _exists(tree, frame.interp):
        needed.link(tree, path, frame.interp)
    elif frame.interp:
        yield _missing(tree, path, frame.interp, (), needed)
    for name in frame.needed:
        folders = list(_folders(path, frame, target))
        places = [name] if "/" in name else [f"{folder}/{name}" for folder in folders]
        found = next((place for place in places if _exists(tree, place)), None)
        if found is None:
            yield _missing(tree, path, name, folders, needed)
        else:
            needed.link(tree, path, found)


def _folders(path: str, frame: elf.Elf, target: Target) -> Iterator[str]:
    """Yield where the loader searches."""
    search = ":".join(filter(None, (frame.rpath, frame.runpath)))
    for folder in filter(None, search.split(":")):
        here = "/" + path.rpartition("/")[0]
        yield folder.replace("${ORIGIN}", here).replace("$ORIGIN", here)
    yield from target.libraries


def _missing(
    tree: Tree, path: str, name: str, folders: Sequence[str], needed: OnlyNeeded
) -> QuardError:
    here = sorted({other.rpartition("/")[2] for other in tree.nodes if ".so" in other})
    near = nearest(name.rpartition("/")[2], here, alike=0.8)
    detail = [f"looked in {', '.join(dict.fromkeys(folders))}"] if folders else []
    detail += [f"the image has {near[0]}"] if near else []
    return QuardError(
        f"/{path} of {tree.owners[path]} needs {name}, which is not in the image",
        detail="\n".join(detail),
        reason="missing-library",
        hint=needed.remedy(
            map(tree.canonical, [name] if "/" in name else [f"{f}/{name}" for f in folders]),
            "add the package that installs it to the recipe's `needs` or `runtime`",
        ),
    )


def _script_errors(tree: Tree, path: str, start: bytes, needed: OnlyNeeded) -> Iterator[QuardError]:
    words = start[2:].partition(b"\n")[0].decode(errors="replace").split()
    wanted = words[0] if words else ""
    if wanted.endswith("/env") and len(words) > 1 and _exists(tree, wanted):
        wanted = words[1]
        places = [f"{folder}/{wanted}" for folder in _PROGRAM_FOLDERS]
    else:
        places = [tree.canonical(wanted)]
    if not any(_exists(tree, place) for place in places):
        yield QuardError(
            f"/{path} of {tree.owners[path]} is a script for {wanted!r}, which is not in the image",
            reason="missing-interpreter",
            hint=needed.remedy(
                places, "drop the script in its recipe, or add the package with its interpreter"
            ),
        )


def _exists(tree: Tree, path: str) -> bool:
    try:
        return bool(path) and tree.resolve(path) in tree.nodes
    except QuardError:  # a loop of links, which `_links` reports
        return False
