"""A throw-away root file system in which the overlay's scripts run as they do on the target.

bubblewrap makes the folder the root, so that absolute paths are real; the shell and the small
tools are busybox's; programs that would act on a machine are stubs that record how they were
called. Nothing here touches the machine that the tests run on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pexpect.fdpexpect import fdspawn

from quard.plan.services import Placed, placed
from quard.recipes.catalog import Catalog

PROJECT = Path(__file__).resolve().parents[2]
OVERLAY = PROJECT / "rootfs"

STUBS = {
    "bin": ("dmesg", "hostname", "logger", "mount", "sleep", "sync", "umount"),
    "sbin": ("chroot", "ifdown", "ifup", "init", "ip", "mdev", "modprobe", "pivot_root", "sysctl"),
}
"""Scripts name these by absolute path, so a stub in that place is what they run."""

STUB = """#!/bin/sh
printf '%s\\n' "${0##*/}${*:+ $*}" >>/stub/calls
if [ -f "/stub/${0##*/}.sh" ]; then . "/stub/${0##*/}.sh"; fi
"""

DIRECTORIES = (
    *("dev", "mnt", "proc/sys/kernel", "root", "run", "stub", "sys", "tmp", "usr/lib", "var/log"),
    "usr/share/udhcpc/default.script.d",
)


class GuestRootError(Exception):
    """The machine lacks what these tests stand on."""


@dataclass(frozen=True)
class Result:
    """status -- exit status; out -- stdout and stderr in the order in which they were written."""

    status: int
    out: str

    @property
    def lines(self) -> list[str]:
        """The lines of `out`."""
        return self.out.splitlines()


def write_program(path: Path, text: str) -> None:
    """Write an executable file; `text` without a "#!" line is for /bin/sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def make_tools(folder: Path) -> Path:
    """Fill `folder` as /usr/bin: busybox, its applets as links, stubs in place of some."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise GuestRootError("busybox is missing: install busybox-static")
    folder.mkdir(parents=True)
    shutil.copy(busybox, folder / "busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        if applet != "busybox":
            (folder / applet).symlink_to("busybox")
    _borrow("flock", folder)
    for name in STUBS["bin"]:
        write_program(folder / name, STUB)
    return folder


def _borrow(name: str, folder: Path) -> None:
    """Put a program of this machine into `folder`: Debian's busybox lacks some of ours' applets.

    Its libraries and their loader come along (ldd(1)), below a folder that nothing else looks in.
    """
    program = shutil.which(name)
    if program is None:
        raise GuestRootError(f"{name} is missing")
    own = folder / "host"
    own.mkdir(exist_ok=True)
    shutil.copy(program, own)
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = [Path(word) for word in listed.split() if word.startswith("/")]
    for library in libraries:
        shutil.copy(library, own)
    loader = next(library.name for library in libraries if library.name.startswith("ld"))
    inside = "/usr/bin/host"
    write_program(
        folder / name, f'exec {inside}/{loader} --library-path {inside} {inside}/{name} "$@"'
    )


def placed_files() -> list[Placed]:
    """Return the start scripts and configuration files of all packages."""
    catalog = Catalog(PROJECT / "packages")
    found: list[Placed] = []
    for name in catalog.names():
        package = catalog[name]
        found += placed(package, {each.name: True for each in package.recipe.services})
    return found


def probe(tools: Path, folder: Path) -> str:
    """Return why bubblewrap cannot make a root here, "" if it can; raise if a tool is missing."""
    if shutil.which("bwrap") is None:
        raise GuestRootError("bwrap is missing: install bubblewrap")
    guest = Guest.make(folder, tools)
    outer = subprocess.run(
        ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if outer.returncode != 0:
        return f"bubblewrap cannot run here: {outer.stderr.strip()}"
    inner = guest.shell("echo inside")
    if inner.out != "inside\n":
        raise GuestRootError(f"busybox does not run alone, is it busybox-static? {inner.out}")
    return ""


@dataclass
class Guest:
    """One root.

    root     -- its folder, to read and change from outside
    env      -- environment of everything that runs in it
    readonly -- paths in it that cannot be written
    binds    -- (path outside, path inside), read-only
    """

    root: Path
    tools: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/sbin:/bin"})
    readonly: list[str] = field(default_factory=list)
    binds: list[tuple[Path, str]] = field(default_factory=list)

    @classmethod
    def make(cls, root: Path, tools: Path) -> Guest:
        """Copy the overlay to `root` and add what packages and the image builder add."""
        shutil.copytree(OVERLAY, root, symlinks=True)
        for name in (*DIRECTORIES, "usr/bin", "etc/network/if-post-down.d"):
            (root / name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "lib", "sbin"):
            (root / name).symlink_to(f"usr/{name}")
        for name in STUBS["sbin"]:
            write_program(root / "usr/sbin" / name, STUB)
        (root / "usr/sbin/start-stop-daemon").symlink_to("../bin/busybox")
        (root / "var/run").symlink_to("../run")
        for each in placed_files():
            target = root / each.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(each.file).read_bytes() if each.file else each.text.encode())
            target.chmod(int(each.mode, 8))
        return cls(root, tools)

    def write(self, path: str, text: str) -> Path:
        """Write a file and the folders it needs."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text)
        return target

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.root / path).read_text()

    def program(self, path: str, text: str) -> None:
        """Write an executable file."""
        write_program(self.root / path, text)

    def stub(self, name: str, body: str) -> None:
        """Give a stub something to do: shell text, run with the call's arguments."""
        self.write(f"stub/{name}.sh", body + "\n")

    @property
    def calls(self) -> list[str]:
        """How the stubs were called, in order, as "name argument ..."."""
        path = self.root / "stub/calls"
        return path.read_text().splitlines() if path.exists() else []

    def called(self, name: str) -> list[str]:
        """The calls of one stub."""
        return [call for call in self.calls if call.split(" ")[0] == name]

    def forget(self) -> None:
        """Empty the record of calls."""
        (self.root / "stub/calls").unlink(missing_ok=True)

    def run(self, *argv: str, env: Mapping[str, str] | None = None, live: bool = False) -> Result:
        """Run a program.

        live -- with a real /proc and a network of its own, for tests that start daemons; they
                end with the run. Otherwise /proc is what the test has written.
        """
        done = subprocess.run(
            [*self._sandbox(live), *self._settings({**self.env, **(env or {})}), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def shell(self, text: str, env: Mapping[str, str] | None = None, live: bool = False) -> Result:
        """Run shell text."""
        return self.run("/bin/sh", "-c", text, env=env, live=live)

    @contextmanager
    def on_terminal(self, device: str, *argv: str) -> Iterator[fdspawn[str]]:
        """Run a program on a terminal that the guest knows as `device`; its other end is ours.

        The terminal has no size, as a serial line, and gives back the name of `device`.
        """
        ours, theirs = os.openpty()
        self.write(device.lstrip("/"), "")
        bind = ["--dev-bind", os.ttyname(theirs), device, "--new-session"]
        begin = ["/bin/sh", "-c", f'exec "$@" <{device} >{device} 2>&1', "sh"]
        process = subprocess.Popen(
            [*self._sandbox(live=True), *bind, *self._settings(self.env), *begin, *argv],
            stdin=subprocess.DEVNULL,
        )
        try:
            yield fdspawn(ours, encoding="utf-8", timeout=20)
        finally:
            process.kill()
            process.wait()
            for end in (ours, theirs):
                os.close(end)

    def _sandbox(self, live: bool) -> list[str]:
        argv = ["bwrap", "--die-with-parent", "--unshare-pid", "--bind", str(self.root), "/"]
        argv += ["--ro-bind", str(self.tools), "/usr/bin"]
        argv += ["--dev-bind", "/dev/null", "/dev/null"]
        if live:
            argv += ["--proc", "/proc", "--unshare-net", "--unshare-uts"]
            # The kernel's settings are this machine's, and root could write them.
            argv += ["--ro-bind", "/proc/sys", "/proc/sys"]
        for outside, inside in self.binds:
            argv += ["--ro-bind", str(outside), inside]
        for path in self.readonly:
            argv += ["--ro-bind", str(self.root / path), f"/{path}"]
        return argv

    @staticmethod
    def _settings(env: Mapping[str, str]) -> Sequence[str]:
        argv = ["--clearenv", "--chdir", "/"]
        for name, value in sorted(env.items()):
            argv += ["--setenv", name, value]
        return argv
