"""Real git repositories for tests, made the same way on every machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class WorkTree:
    """The work tree of a repository that is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> str:
        """Return what a command of git prints."""
        done = subprocess.run(
            ("git", "-c", "protocol.file.allow=always", *words),
            cwd=self.folder,
            env={**os.environ, **_ENVIRONMENT},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], *options: str) -> str:
        """Write files, commit everything, and return the commit's name."""
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--message=change", *options)
        return self.run("rev-parse", "HEAD")


class GitRepository(WorkTree):
    """A new repository with a work tree; `address` is where it is fetched from."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True)
        self.run("init", "--quiet", "--initial-branch=main", ".")

    @property
    def address(self) -> str:
        return self.folder.as_uri()

    def forget(self, commit: str) -> None:
        """Remove a commit that no branch or tag leads to any more."""
        self.run("reflog", "expire", "--expire=now", "--all")
        self.run("gc", "--quiet", "--prune=now")
        found = subprocess.run(("git", "cat-file", "-e", commit), cwd=self.folder, check=False)
        assert found.returncode, "it is still there"
