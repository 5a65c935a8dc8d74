"""The sandbox of a package's commands: bubblewrap, or plain folders where it cannot run.

Inside, all folders have fixed paths below /quard, so that no result depends on where the checkout
is. See bwrap(1).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import IO, Literal

from quard.base.errors import QuardError
from quard.base.files import UMASK, remove_tree
from quard.base.placeholders import LATE
from quard.base.record import Record, record
from quard.process import bubblewrap, leash
from quard.process.builduser import BuildUser
from quard.process.stop import Stop
from quard.process.system import BESIDE_USR, HIDDEN, MACHINE, System

INSIDE = "/quard"
"""Root of all folders that builds see, so that no path of the user shows in a result."""
Mode = Literal["bwrap", "none", "inside"]
"""How commands are sealed: by bubblewrap; not at all; because everything runs inside of a sandbox
that somebody else has made, with the same paths."""
ACCOUNTS = {
    "passwd": "build:x:1000:1000:build:/quard/home:/bin/sh\n",
    "group": "build:x:1000:\n",
}
"""The accounts that builds see, by the files' names in /etc."""
_NOT_FOUND = 127
_ETC = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")


@record
class Work(Record):
    """The folders of one package's build, all inside `root`.

    They are named after the plan's placeholders; `tools` holds the commands that the build may
    use, `home` is empty, and `etc` has the accounts that the build sees.
    """

    root: Path

    @property
    def src(self) -> Path:
        return self.root / "src"

    @property
    def stage(self) -> Path:
        return self.root / "stage"

    @property
    def sysroot(self) -> Path:
        return self.root / "sysroot"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def native(self) -> Path:
        return self.root / "native"

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    def make(self) -> None:
        """Create the folders, empty.

        The root's mode is set: folders inherit a set-group bit, and packages would install it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        for folder in (self.src, self.stage, self.sysroot, self.files, self.tools, self.native):
            folder.mkdir(parents=True)
        self.home.mkdir()
        self.etc.mkdir()
        for name, text in ACCOUNTS.items():
            (self.etc / name).write_text(text)


@record
class Bound(Record):
    """A folder or socket of the machine that sealed commands see at another path, `inside`."""

    place: Path
    inside: str
    writable: bool = False


@record
class Sandbox(Record):
    """How commands are run for one package.

    show -- further folders of the machine that are visible, read-only (an external toolchain)
    keep -- descriptors that the commands inherit (the jobserver's pipe, the tree's lock)
    stop -- ends the commands when the run is stopped
    user -- the user that runs them in plain folders, if not ours
    system -- whose /usr the commands see; plain folders have the machine's own
    start -- words that start bubblewrap; none: the machine's own
    bound -- what sealed commands see besides
    """

    mode: Mode
    work: Work
    show: tuple[Path, ...] = ()
    keep: tuple[int, ...] = ()
    stop: Stop = field(default_factory=Stop)
    user: BuildUser | None = None
    system: System = MACHINE
    start: tuple[str, ...] = ()
    bound: tuple[Bound, ...] = ()

    @property
    def folders(self) -> Mapping[str, str]:
        """Late placeholder of a plan -> the folder's path as commands see it."""
        return {word: f"{self.inside}/{word}" for word in LATE}

    @property
    def inside(self) -> str:
        """The root of these folders as commands see it."""
        return str(self.work.root) if self.mode == "none" else INSIDE

    def run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: IO[bytes],
        *,
        stdin: Path | None = None,
        foreground: bool = False,
    ) -> int:
        """Run a command in the source folder and return its exit status.

        Standard output and error go to `log`. With `foreground` the command has the terminal
        instead. If this thread is interrupted, the command and its children end before the
        exception propagates. A command that cannot be started has the status that a shell gives
        it. Raises QuardError interrupted if the run is stopped.
        """
        try:
            return self.stop.run(lambda: self._start(argv, env, log, stdin, foreground))
        except OSError as error:
            log.write(f"{argv[0]}: {error.strerror}\n".encode())
            return _NOT_FOUND

    def _start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: IO[bytes],
        stdin: Path | None,
        foreground: bool,
    ) -> subprocess.Popen[bytes]:
        command, folder = self.command(argv, env), "/" if self.mode == "bwrap" else self.work.src
        if foreground:
            return subprocess.Popen(
                command,
                env=dict(env),
                cwd=folder,
                pass_fds=self.keep,
                umask=UMASK,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=() if self.user else None,
            )
        return leash.start(
            command,
            env=env,
            out=log,
            stdin=stdin or leash.NOTHING,
            cwd=folder,
            keep=self.keep,
            umask=UMASK,
            user=self.user,
        )

    def renew(self) -> None:
        """Empty the work folder; inside of somebody else's sandbox it is empty already."""
        if self.mode != "inside":
            remove_tree(self.work.root)
        self.work.make()

    def hand_over(self, *, fresh: bool = False) -> None:
        """Give the folders that commands write to, and our files in them, to the user running them.

        fresh -- no command has run there
        """
        if self.user:
            for folder in (self.work.src, self.work.stage, self.work.home):
                self.user.take_over(folder, fresh=fresh)

    def take_back(self) -> None:
        """Take the source and the staging folder back from the user running the commands."""
        if self.user:
            self.user.give_back(self.work.src)
            self.user.give_back(self.work.stage)

    def command(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[str, ...]:
        """Return the complete command line that runs `argv`."""
        if self.mode != "bwrap":
            # The shell in between may have added variables to the environment.
            given = (f"{name}={text}" for name, text in sorted(env.items()))
            return ("/usr/bin/env", "-i", *given, *argv)
        start = self.start or bubblewrap.own()
        if not start:
            raise missing("bwrap is not installed")
        arguments = [*start, "--unshare-all", "--die-with-parent", "--hostname", "quard"]
        arguments += ["--uid", "1000", "--gid", "1000", "--clearenv"]
        arguments += self._mounts()
        for name, text in sorted(env.items()):
            arguments += ["--setenv", name, text]
        return (*arguments, "--chdir", f"{INSIDE}/src", "--", *argv)

    def _mounts(self) -> list[str]:
        mounts = system_mounts(self.system)
        for name in ACCOUNTS:
            mounts += ["--ro-bind", str(self.work.etc / name), f"/etc/{name}"]
        mounts += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for folder in self.show:
            if not folder.is_relative_to("/usr"):
                mounts += ["--ro-bind", str(folder), str(folder)]
        for name in ("src", "stage", "home"):
            mounts += ["--bind", str(self.work.root / name), f"{INSIDE}/{name}"]
        for name in ("sysroot", "files", "tools", "native"):
            mounts += ["--ro-bind", str(self.work.root / name), f"{INSIDE}/{name}"]
        for each in self.bound:
            mounts += ["--bind" if each.writable else "--ro-bind", str(each.place), each.inside]
        # Otherwise a build could write to the root of its own, empty file system.
        local = () if self.system.is_pinned else ("--remount-ro", HIDDEN)
        return [*mounts, *local, "--remount-ro", "/"]


def system_mounts(system: System) -> list[str]:
    """Return the mounts that show a system."""
    return _pinned(system) if system.is_pinned else _own()


def _own() -> list[str]:
    """Return the mounts that show the machine's own system."""
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in BESIDE_USR:
        path = Path(name)
        if path.is_symlink():
            mounts += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            mounts += ["--ro-bind", name, name]
    for name in _ETC:
        mounts += ["--ro-bind-try", name, name]
    return [*mounts, "--tmpfs", HIDDEN]


def _pinned(system: System) -> list[str]:
    """Return the mounts that show pinned tools, laid out as in releases with a merged /usr."""
    mounts = ["--ro-bind", str(system.place("/usr")), "/usr"]
    for name, target in merged(system).items():
        mounts += ["--symlink", target, f"/{name}"]
    return mounts


def merged(system: System) -> dict[str, str]:
    """Return the links in / that a system with a merged /usr has, without the leading slashes."""
    names = (name[1:] for name in BESIDE_USR)
    return {name: f"usr/{name}" for name in names if system.place(f"/usr/{name}").is_dir()}


def missing(detail: str) -> QuardError:
    """Return the error for a machine on which commands cannot be sealed."""
    return QuardError(
        "builds cannot be sealed on this machine",
        detail=detail,
        reason="no-sandbox",
        hint="install bubblewrap and allow user namespaces, or set [sandbox] mode = "
        '"auto" or "none" in local.toml',
    )
