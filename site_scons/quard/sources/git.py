"""Fetching one commit of a git repository, as an archive that depends on nothing but its files.

The archive is what the cache, mirrors and folders of sources keep, so its bytes must be the same on
every machine: an uncompressed tar archive (pax, POSIX.1-2001). Its members are below `source/`: the
files and symbolic links in the order of their names' bytes, with mode 0755 or 0644, owner 0, and
one time for all. Its SHA-256 is the digest of the tree. Attributes and filters (export-subst,
end-of-line conversion, LFS) are not applied: the files are those of the commit.
"""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from quard.base.files import remove_tree
from quard.base.record import Record, record
from quard.process.starting import run_until
from quard.sites import GIT
from quard.sources.attempt import Failed, Stopped

TOP = "source"
"""The single top folder of the archive."""
MTIME = 315_532_800
"""1980-01-01: zip archives, which a build may make of the files, have no earlier time."""
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n"
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
_ENVIRONMENT = ("GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
_CONFIG = ("tar.umask=0022", "core.autocrlf=false", "gc.auto=0", "fetch.recurseSubmodules=false")
_SCHEMES = ("https", "http", "ssh", "git")
_DEEPEST = 8
_SUBMODULE = "160000"


@record
class Repository(Record):
    """What an address names: a commit of a repository, with or without its submodules."""

    address: str
    commit: str
    submodules: bool


def parse(address: str) -> Repository:
    """Return what an address names that quard.plan.source has composed."""
    url, _, fragment = address.removeprefix(GIT).rpartition("#")
    query = parse_qs(fragment)
    return Repository(url, query["commit"][0], "submodules" in query)


class Git:
    """Fetches commits, for one thread.

    stopped -- returns whether to give up
    note    -- called with a line of text
    """

    def __init__(self, stopped: Callable[[], bool], note: Callable[[str], None]) -> None:
        self._stopped = stopped
        self._note = note

    def get(self, address: str, out: Path) -> None:
        """Write the archive of a commit. Raises Failed, Stopped, OSError."""
        wanted = parse(address)
        for left in out.parent.glob(".git-*"):  # of a fetch that was killed
            remove_tree(left)
        work = Path(tempfile.mkdtemp(prefix=".git-", dir=out.parent))
        try:
            self._note(f"fetching commit {wanted.commit[:12]} of {wanted.address}")
            trees = [*self._trees(wanted, "", work, 0)]
            _write(trees, out)
        except tarfile.TarError as fault:
            raise Failed(f"git gave a damaged archive: {fault}") from None
        finally:
            remove_tree(work)

    def _trees(
        self, wanted: Repository, prefix: str, work: Path, depth: int
    ) -> Iterator[tuple[str, Path]]:
        """Yield folder -> tar archive of a commit and, if wanted, of its submodules."""
        if depth > _DEEPEST:
            raise Failed(f"submodules are nested too deeply, down to {prefix}")
        folder = Path(tempfile.mkdtemp(dir=work))
        self._fetch(folder, wanted)
        tar = folder / "tree.tar"
        self._git(folder, "archive", "--format=tar", f"--output={tar}", wanted.commit)
        yield prefix, tar
        if wanted.submodules:
            for path, inner in self._submodules(folder, wanted):
                yield from self._trees(inner, f"{prefix}{path}/", work, depth + 1)

    def _fetch(self, folder: Path, wanted: Repository) -> None:
        kind = "sha256" if len(wanted.commit) == 64 else "sha1"
        self._git(folder, "init", "--quiet", "--bare", f"--object-format={kind}", ".")
        (folder / "info").mkdir(exist_ok=True)
        (folder / "info/attributes").write_text(_ATTRIBUTES, encoding="ascii")
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
        try:
            self._git(folder, *fetch, "--depth=1", "--", wanted.address, wanted.commit)
            return
        except Failed:
            # Some servers give only what a branch or a tag names: look for the commit behind them.
            everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self._git(folder, *fetch, "--", wanted.address, *everything)
        try:
            self._git(folder, "cat-file", "-e", f"{wanted.commit}^{{commit}}")
        except Failed:
            raise Failed(
                f"the repository has no commit {wanted.commit}",
                hint="a branch or tag may have been moved away from it: compare the new commit"
                " with upstream's announcement",
            ) from None

    def _submodules(self, folder: Path, wanted: Repository) -> Iterator[tuple[str, Repository]]:
        listed = self._git(folder, "ls-tree", "-r", "-z", "--full-tree", wanted.commit)
        commits = {}
        for line in listed.split("\0"):
            fields, _, path = line.partition("\t")
            if fields.startswith(_SUBMODULE):
                commits[path] = fields.split()[2]
        if not commits:
            return
        addresses = self._addresses(folder, wanted)
        for path, commit in sorted(commits.items()):
            if path not in addresses:
                raise Failed(f"the submodule {path} has no address in .gitmodules")
            yield path, Repository(addresses[path], commit, submodules=True)

    def _addresses(self, folder: Path, wanted: Repository) -> dict[str, str]:
        """Return the addresses of submodules by their paths."""
        blob = f"{wanted.commit}:.gitmodules"
        text = self._git(folder, "config", "--blob", blob, "--list", "-z")
        found: dict[str, dict[str, str]] = {}
        for entry in filter(None, text.split("\0")):
            key, _, value = entry.partition("\n")
            name, _, field = key.removeprefix("submodule.").rpartition(".")
            found.setdefault(name, {})[field] = value
        return {
            each["path"]: _resolved(wanted.address, each["url"])
            for each in found.values()
            if "path" in each and "url" in each
        }

    def _git(self, folder: Path, *words: str) -> str:
        """Return what a command of git prints. Raises Failed with its last line, Stopped."""
        config = [word for setting in _CONFIG for word in ("-c", setting)]
        unset = [word for name in _UNSET for word in ("-u", name)]
        command = ("env", *unset, *_ENVIRONMENT, "git", *config, *words)
        if not shutil.which("git"):
            raise Failed("git is not installed")
        answer = run_until(command, self._stopped, cwd=folder)
        if answer is None:
            raise Stopped
        if answer.returncode:
            said = answer.stderr.decode(errors="replace").strip().splitlines()
            raise Failed(said[-1] if said else f"git {words[0]} failed")
        return answer.stdout.decode(errors="surrogateescape")


def _resolved(parent: str, address: str) -> str:
    """Return the complete address of a submodule, gitmodules(5). Raises Failed."""
    if address.startswith(("./", "../")):
        scheme, _, rest = parent.rstrip("/").partition("://")
        parts = rest.split("/")
        for part in address.split("/"):
            if part == "..":
                if len(parts) < 2:
                    raise Failed(f"the submodule's address {address} leaves the server")
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return f"{scheme}://{'/'.join(parts)}"
    scheme = urlsplit(address).scheme
    if scheme not in _SCHEMES and not (scheme == "file" and parent.startswith("file:")):
        raise Failed(f"the submodule's address {address!r} is not one of {', '.join(_SCHEMES)}")
    return address


def _write(trees: list[tuple[str, Path]], out: Path) -> None:
    """Write the archive of files that git's archives have, each below a folder."""
    with contextlib.ExitStack() as stack:
        found = []
        for prefix, path in trees:
            tar = stack.enter_context(tarfile.open(path, "r:", encoding="utf-8"))
            found += [(f"{prefix}{each.name}", tar, each) for each in tar if not each.isdir()]
        made = stack.enter_context(
            tarfile.open(out, "w", format=tarfile.PAX_FORMAT, encoding="utf-8")
        )
        for name, tar, member in sorted(found, key=lambda one: _bytes(one[0])):
            entry = tarfile.TarInfo(f"{TOP}/{name}")
            entry.mtime, entry.type, entry.linkname = MTIME, member.type, member.linkname
            entry.mode = 0o777 if member.issym() else 0o755 if member.mode & 0o100 else 0o644
            entry.size = member.size
            made.addfile(entry, tar.extractfile(member) if member.isreg() else None)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
