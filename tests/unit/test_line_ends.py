"""No setting of git changes the line ends of a checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import checkout


def git(folder: Path, *words: str) -> None:
    own = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(("git", *own, *words), cwd=folder, check=True, capture_output=True)


def test_a_checkout_with_autocrlf_is_the_same_checkout(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    checkout.copy(one)
    (one / "packages/zlib/windows.patch").write_bytes(b"--- a\r\n+++ b\r\n")
    git(one, "init", "-q")
    git(one, "add", "--all")
    git(one, "commit", "-q", "-m", "x")
    git(one, "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(one), str(two))
    shutil.rmtree(one / ".git")
    shutil.rmtree(two / ".git")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) > 100
    changed = [
        str(name) for name in files if (one / name).read_bytes() != (two / name).read_bytes()
    ]
    assert changed == []
