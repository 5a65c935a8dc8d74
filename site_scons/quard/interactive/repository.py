"""The git repository of a source that is being edited.

Everything here is independent of the user: no configuration but the repository's own, no hooks, no
signatures, no conversion of line endings. Files have the bytes of the archive in commits, and so do
the files that the user's own commands of git check out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.process.starting import run, run_until
from quard.process.stop import Stop

NOBODY = ("Quardroot", "quardroot@localhost")
"""The author of commits without one, and the committer: commits have the same names everywhere."""
DATE = "315532800 +0000"
"""1980-01-01: the date of these commits."""
_OWN = """\
[core]
	repositoryFormatVersion = 0
	bare = false
	fileMode = true
	symlinks = true
	ignoreCase = false
	autocrlf = false
	safecrlf = false
	protectNTFS = false
	protectHFS = false
"""
_ATTRIBUTES = (
    "* -text -eol -ident -filter -working-tree-encoding !diff !merge -export-ignore -export-subst\n"
)
_ALWAYS = (
    *("safe.directory=*", "core.quotePath=false", "core.hooksPath=/dev/null"),
    *("core.fsmonitor=false", "core.untrackedCache=false", "gc.auto=0", "core.compression=1"),
    *("diff.suppressBlankEmpty=false", "diff.orderFile=/dev/null"),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}


@record
class Author(Record):
    """Who wrote a commit, and when: seconds since 1970 and the time zone, as git writes them."""

    name: str
    email: str
    date: str

    @property
    def is_known(self) -> bool:
        return (self.name, self.email) != NOBODY


UNKNOWN = Author(*NOBODY, DATE)


class Repository:
    """A repository and its work tree.

    git     -- folder of the repository, usually .git in the work tree
    tree    -- the work tree
    search  -- the PATH
    stop    -- whether the run is to end
    """

    def __init__(self, git: Path, tree: Path, search: str, stop: Stop) -> None:
        self.git = git
        self._tree = tree
        self._search = search
        self._stop = stop

    def require_git(self) -> None:
        """Raise QuardError git-failed unless git is installed."""
        if not shutil.which("git", path=self._search):
            raise QuardError(
                "git is not installed",
                detail="an edited source is a git repository",
                reason="git-failed",
                hint="install git: on Debian, apt install git",
            )

    def make(self) -> None:
        """Make the repository, with no commit. Raises QuardError git-failed."""
        self._run("init", "--quiet", "--template=")
        (self.git / "config").write_text(_OWN, encoding="ascii")
        self.run("symbolic-ref", "HEAD", "refs/heads/main")
        (self.git / "info").mkdir(exist_ok=True)
        (self.git / "info/attributes").write_text(_ATTRIBUTES, encoding="ascii")

    def commit(self, message: bytes, author: Author, parent: str) -> str:
        """Commit everything in the work tree; return the commit's name.

        parent -- name of the commit before; "" for none
        """
        self.run("add", "--all", "--force", ".")
        tree = self.text("write-tree")
        name, email = NOBODY
        # Without "@", git does not take fewer than nine digits for seconds.
        people = {
            **{"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email},
            **{"GIT_AUTHOR_DATE": f"@{author.date}", "GIT_COMMITTER_DATE": f"@{DATE}"},
            **{"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email},
        }
        words = ("commit-tree", tree, *(("-p", parent) if parent else ()))
        made = self._run(*words, given=message, more=people).decode().strip()
        self.run("update-ref", "refs/heads/main", made)
        return made

    def text(self, *words: str) -> str:
        """Return what a command of git prints, without the last line break."""
        return self.run(*words).decode("utf-8", "surrogateescape").rstrip("\n")

    def run(self, *words: str) -> bytes:
        """Return what a command of git prints. Raises QuardError git-failed, interrupted."""
        return self._run(*words)

    def succeeds(self, *words: str) -> bool:
        """Return whether a command of git ends with status 0."""
        return run(self._command(words, {}), cwd=self._tree).returncode == 0

    def _run(self, *words: str, given: bytes = b"", more: Mapping[str, str] | None = None) -> bytes:
        command = self._command(words, more or {})
        if given:
            answer = run(command, cwd=self._tree, given=given)
        else:
            # The user may stop what takes long.
            found = run_until(command, lambda: self._stop.requested, cwd=self._tree)
            self._stop.check()
            assert found is not None, "it ends without a result only if the run is to end"
            answer = found
        if answer.returncode:
            raise QuardError(
                f"git {words[0]} failed",
                detail=answer.stderr.decode(errors="replace").strip(),
                reason="git-failed",
                hint=f"the repository is {self.git}",
            )
        return answer.stdout

    def _command(self, words: tuple[str, ...], more: Mapping[str, str]) -> tuple[str, ...]:
        place = {"GIT_DIR": str(self.git), "GIT_WORK_TREE": str(self._tree)}
        env = {**_ENVIRONMENT, "PATH": self._search, **place, **more}
        config = (word for setting in _ALWAYS for word in ("-c", setting))
        given = (f"{key}={text}" for key, text in env.items())
        return ("env", "-i", *given, "git", *config, *words)
