"""Saving the commits of a checkout as patches beside the recipe, and ending the edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import replace
from quard.interactive import series
from quard.interactive.layers import Layers
from quard.interactive.repository import Repository
from quard.interactive.series import Commit
from quard.interactive.unsaved import require_saved
from quard.interactive.workfolder import WorkFolder
from quard.project import edits
from quard.project.build import BoardBuild
from quard.project.edits import Edit, Patched
from quard.sources.trees import Entry, scan

_SHOWN = 10


def export(build: BoardBuild, name: str, tree: str = "") -> None:
    """Write the commits of edit/NAME as patches and remove the checkout.

    tree -- of the patches of new commits, see Layers. Raises QuardError.
    """
    workspace, work = build.workspace, WorkFolder(build, name, "patch")
    if work.bare not in workspace.edits:
        raise QuardError(
            f"{work.bare} is not being edited",
            detail=f"{work.shown} does not exist",
            reason="no-edit",
            hint=f"./scons {work.bare}-edit checks its source out",
        )
    made = edits.load(work.bare, work.checkout)
    _require_known(work, made)
    host, console = workspace.host, workspace.console
    git = Repository(work.checkout / edits.GIT, work.checkout, host.site.search, host.stop)
    git.require_git()
    require_saved(git, work.shown, made.base)
    commits = [*_commits(git, work, made.base)]
    before = series.kept(commits, made.patches)
    layers = Layers(workspace.trees, work.package, tree)
    files = dict(_files(work, layers, commits, before))
    with console.package(name, work.version) as report:
        try:
            work.fill(files.items(), lambda _: None, report)
            report("compare")
            _require_equal(work)
        finally:
            work.remove()
    said = _write(work, layers, made, files)
    # The checkout ends with one rename; a killed run leaves a hidden folder, which is removed.
    work.checkout.rename(work.root)
    work.remove()
    shown = work.package.file.rpartition("/")[0]
    for line in said or ["no patch has changed"]:
        console.note(f"{shown}: {line}")
    console.note(f"{work.bare} {work.version}: builds use the archive and the patches again")


def _require_known(work: WorkFolder, made: Edit) -> None:
    """Raise QuardError edit-outdated if the recipe has changed since the checkout was made."""
    changes = edits.differences(made, work.package, work.requests)
    if changes and not (made.pending and edits.matches(work.package.patches(), made)):
        raise edits.outdated(work.bare, made, changes)


def _commits(git: Repository, work: WorkFolder, base: str) -> Iterator[Commit]:
    """Yield the commits after the first one, the oldest first. Raises QuardError not-as-patches."""
    for name in git.text("rev-list", "--reverse", f"{base}..HEAD").split():
        commit = series.read(git, name)
        if not commit.change:
            continue  # a patch that changes nothing cannot be applied
        binary = [
            line.split("\t")[2]
            for line in git.text("diff-tree", "--numstat", "-r", "-z", name).split("\0")
            if line.startswith("-\t-\t")
        ]
        if binary:
            raise QuardError(
                f"the commit {name[:12]} of {work.shown} changes a binary file",
                detail=f"{commit.subject}\n" + "\n".join(binary[:_SHOWN]),
                reason="not-as-patches",
                hint="undo that change, put the file beside the recipe, and copy it in `prepare`:"
                ' Run("cp", "{files}/NAME", "PATH")',
            )
        yield commit


def _files(
    work: WorkFolder,
    layers: Layers,
    commits: Sequence[Commit],
    before: Sequence[Patched | None],
) -> Iterator[tuple[str, bytes]]:
    """Yield the names and texts of the patches for commits; unchanged ones keep their text.

    A run that was interrupted may have written such a text under its new name, and removed the old.
    """
    names, places = layers.names(commits, before), work.package.places()
    for name, commit, patch in zip(names, commits, before, strict=True):
        text = commit.text
        if patch and sha256(text).hexdigest() == patch.text:
            there = (places[file] for file in (patch.file, name) if file in places)
            found = (path.read_bytes() for path in there)
            text = next((one for one in found if sha256(one).hexdigest() == patch.sha256), text)
        yield name, text


def _require_equal(work: WorkFolder) -> None:
    """Raise QuardError not-as-patches unless the patches give the files of the checkout."""
    wanted, found = _content(work.checkout), _content(work.src)
    differing = sorted(p for p in {*wanted, *found} if wanted.get(p) != found.get(p))
    if differing:
        raise QuardError(
            f"patches for {work.bare} do not give the files of {work.shown}",
            detail="\n".join(differing[:_SHOWN]),
            reason="not-as-patches",
            hint="GNU patch has read the changes in another way: look for lines of a diff in the"
            " messages of the commits",
        )


def _content(folder: Path) -> dict[str, Entry]:
    """Return the files and links of a tree. git and patches have no empty folders."""
    return {p: entry for p, entry in scan(folder).entries.items() if entry.kind != "folder"}


def _write(work: WorkFolder, layers: Layers, made: Edit, files: dict[str, bytes]) -> list[str]:
    """Write the patches beside the recipe; return what was changed. Raises OSError.

    What a killed run has not finished is finished by the next one.
    """
    before, places = work.package.patches(), work.package.places()
    now = {name: sha256(content).hexdigest() for name, content in files.items()}
    edits.save(work.checkout / edits.GIT, Edit(made.recipe, made.base, made.tip, made.patches, now))
    there = {one.name: one.sha256 for one in before}
    said = []
    for name, content in files.items():
        if there.get(name) != now[name]:
            replace(layers.place(name), content)
            said.append(f"{name} {'changed' if name in there else 'written'}")
    for name in sorted(there.keys() - files.keys()):
        path = places[name]
        path.unlink()
        if ":" in name and not any(path.parent.iterdir()):
            path.parent.rmdir()
        said.append(f"{name} removed")
    return said
