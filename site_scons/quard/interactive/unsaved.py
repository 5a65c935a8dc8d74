"""Whether a checkout has work that its commits do not have."""

from __future__ import annotations

from collections.abc import Iterator

from quard.base.errors import QuardError
from quard.interactive.repository import Repository

_SHOWN = 10
_UNDER_WAY = {
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or git am",
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}


def require_saved(git: Repository, shown: str, base: str) -> None:
    """Check that HEAD has all work of a checkout, as commits after the first one, `base`.

    shown -- the checkout's name in messages
    Raises QuardError: edit-unsaved, not-as-patches.
    """
    for problem, hint in _problems(git, shown):
        lines = problem.splitlines()
        more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise QuardError(
            f"{shown} has work that is not in its commits",
            detail="\n".join((*lines[:_SHOWN], *more)),
            reason="edit-unsaved",
            hint=hint,
        )
    if not git.succeeds("merge-base", "--is-ancestor", base, "HEAD"):
        raise QuardError(
            f"the first commit of {shown}, which has the archive, was replaced",
            detail=f"it was {base}",
            reason="not-as-patches",
            hint=f"git -C {shown} rebase --onto {base[:12]} FIRST, where FIRST is the present one",
        )
    if merges := git.text("rev-list", "--merges", f"{base}..HEAD"):
        raise QuardError(
            f"{shown} has a merge, which is no patch",
            detail=merges,
            reason="not-as-patches",
            hint=f"git -C {shown} rebase {base[:12]}",
        )


def _problems(git: Repository, shown: str) -> Iterator[tuple[str, str]]:
    """Yield what is not in the commits of HEAD, and what to do about it."""
    for file, what in _UNDER_WAY.items():
        if (git.git / file).exists():
            yield f"{what} has not ended", "end it, or give it up, with git"
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    changed = [*filter(None, git.text(*words).split("\0"))]
    if changed:
        yield "\n".join(changed), "commit it, or undo it with git restore and git clean"
    found = git.text(*words, "--ignored=matching").split("\0")
    ignored = [line[3:] for line in found if line.startswith("!! ")]
    if ignored:
        yield (
            "ignored by .gitignore:\n" + "\n".join(ignored),
            f"commit it after git add --force, or remove all of it: git -C {shown} clean -fdX",
        )
    if git.succeeds("rev-parse", "--verify", "--quiet", "refs/stash"):
        yield "git stash has changes", "apply them with git stash pop, or git stash drop them"
    # What was fetched from another repository is still there.
    remotes = git.text("for-each-ref", "--format=%(refname)", "refs/remotes").split()
    saved = (f"--no-merged={each}" for each in ("HEAD", *remotes))
    refs = git.text("for-each-ref", "--format=%(refname:short)", *saved, "refs").split()
    if refs:
        yield (
            "\n".join(f"commits of {each}" for each in refs),
            "take them over into the branch that is checked out, or delete the branch",
        )
