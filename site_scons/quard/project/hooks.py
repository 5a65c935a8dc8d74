"""The hooks of a board's roots: the files that they are, and running them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import FileRef, changed, file_ref, remove_tree
from quard.boards.root import Root
from quard.boards.trees import Trees, parted
from quard.plan.hooks import (
    POST_IMAGE,
    POST_ROOT,
    Calls,
    HookedRootfsPlan,
    HookPlan,
    Stage,
    plan,
)
from quard.plan.unit import Unit, qualified
from quard.sources.trees import scan

if TYPE_CHECKING:
    from quard.execute.scripts import Given
    from quard.image.tree import Tree
    from quard.project.workspace import Workspace
    from quard.sources.trees import Listing

_SHOWN = 10


def digests(roots: Iterable[Root], trees: Trees, memories: Path) -> dict[str, str]:
    """Return the digest of each script and input of these roots.

    memories -- folder of files with the hashes of earlier runs
    Raises QuardError bad-hook.
    """
    return {
        name: _digest(name, root, trees, memories)
        for root in roots
        if root.hooks
        for name in root.hooks.files
    }


def _digest(name: str, root: Root, trees: Trees, memories: Path) -> str:
    """Return the digest of a file, or of all that is in a folder. Raises QuardError bad-hook."""
    path = trees.path(name)
    assert root.hooks is not None
    runs = name in (*root.hooks.post_root, *root.hooks.post_image)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) and not runs:
            return _listing(name, path, memories).digest
        executable = bool(mode & stat.S_IXUSR)
        if runs and not executable:
            raise _bad(root, name, "is not executable", f"chmod +x {path}")
        return FileRef(name, given.digest(path), executable).entry[1]
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        raise _bad(root, name, text, "correct [hooks] in the board's file") from error


def _listing(name: str, path: Path, memories: Path) -> Listing:
    return scan(path, memories / f"{name.replace('/', '%')}.json")


def _bad(root: Root, name: str, text: str, hint: str) -> QuardError:
    return QuardError(
        f"{root.file}: {name}, which [hooks] names, {text}", reason="bad-hook", hint=hint
    )


class Hooks:
    """Runs the hooks of a board.

    memories -- for `digests`
    """

    def __init__(self, workspace: Workspace, memories: Path) -> None:
        self._workspace = workspace
        self._memories = memories

    @contextmanager
    def post_root(
        self, unit: Unit, root: Root
    ) -> Iterator[Callable[[Tree], Iterable[QuardError]] | None]:
        """Provide a function that lets a root's scripts change a tree; None without scripts.

        The files that they have made exist until the end of the block.
        """
        hooks = unit.plan.hooks if isinstance(unit.plan, HookedRootfsPlan) else None
        if hooks is None:
            yield None
            return
        from quard.image.hooked import Folder  # noqa: PLC0415
        from quard.image.tree import Origin  # noqa: PLC0415

        def change(tree: Tree) -> Iterable[QuardError]:
            laid: list[Folder] = []
            self._run(root, POST_ROOT, hooks, lambda folder: laid.append(Folder(tree, folder)))
            return laid[0].take(Origin("hook", POST_ROOT))

        yield change
        remove_tree(self._work(root, POST_ROOT))

    def post_image(self, unit: Unit, root: Root, images: Path) -> None:
        """Make the files of a unit in the images' folder. Raises QuardError."""
        assert isinstance(unit.plan, HookPlan)
        names = unit.plan.images

        def fill(folder: Path) -> None:
            for name in names:
                place = folder / name.removeprefix(qualified(root.name, ""))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(images / name, place)

        self._run(root, POST_IMAGE, unit.plan.hooks, fill)
        work = self._work(root, POST_IMAGE)
        found = {*os.listdir(work / "stage")}
        wanted = {*unit.plan.outputs}
        missing = [f"{name}: missing" for name in sorted(wanted - found)]
        unknown = [f"{name}: not among `outputs`" for name in sorted(found - wanted)]
        odd = [f"{name}: not a file" for name in sorted(wanted & found) if not _is_file(work, name)]
        if problems := [*missing, *unknown, *odd]:
            raise QuardError(
                "the hooks after the images have not made what [hooks] says",
                detail="\n".join(problems[:_SHOWN]),
                reason="hook-outputs",
                hint="they write the files that hooks.outputs names into the folder $OUT",
            )
        for name in unit.plan.outputs:
            place = work / "stage" / name
            place.chmod(0o755 if place.stat().st_mode & stat.S_IXUSR else 0o644)
            shutil.move(place, images / qualified(root.name, name))
        remove_tree(work)

    def _run(self, root: Root, stage: Stage, hooks: Calls, fill: Callable[[Path], None]) -> None:
        from quard.execute import scripts  # noqa: PLC0415

        workspace = self._workspace
        log = workspace.out / "logs" / qualified(root.name, f"{stage}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        shown = f"out/{workspace.board.name}/logs/{qualified(root.name, log.name)}"
        with log.open("w+b") as file:
            work = self._work(root, stage)
            packager = workspace.host.packager
            build = packager.build(plan(root, stage), work, file, shown, lambda _: None)
            scripts.run(build, self._given(hooks), fill)

    def _given(self, hooks: Calls) -> dict[str, Given | Listing]:
        """Return what scripts see, by its path in {files}.

        Raises QuardError changed-while-building if a folder has not the digest that is in the plan.
        """
        from quard.execute.scripts import Given  # noqa: PLC0415

        found: dict[str, Given | Listing] = {}
        for name, digest in dict((*hooks.scripts, *hooks.inputs)).items():
            path, inner = self._workspace.trees.path(name), parted(name)[1]
            if path.is_dir():
                found[inner] = listing = _listing(name, path, self._memories)
                if listing.digest != digest:
                    raise changed(path)
            else:
                found[inner] = Given(path, file_ref(name, digest))
        return found

    def _work(self, root: Root, stage: Stage) -> Path:
        # No package has such a name.
        return self._workspace.out / "work" / qualified(root.name, f"_{stage}")


def _is_file(work: Path, name: str) -> bool:
    return stat.S_ISREG((work / "stage" / name).lstat().st_mode)
