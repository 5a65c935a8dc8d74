"""Making rootfs.tar from packages, overlays, the system's table and the board's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from quard.base.errors import QuardError, together
from quard.base.record import Record, record
from quard.image import (
    accounts,
    check,
    cpio,
    ext4,
    limits,
    manifest,
    modules,
    persistent,
    scripts,
    special,
    started,
    tarimage,
)
from quard.image.assembled import Assembled
from quard.image.generated import files
from quard.image.hardened import Hardened
from quard.image.layers import Layer, Layers
from quard.image.merged import fold
from quard.image.on_demand import drop_unneeded
from quard.image.only_needed import OnlyNeeded
from quard.image.overlay import Overlay
from quard.image.permissions import apply
from quard.image.system import System
from quard.image.time64 import Times
from quard.image.tree import MERGED, Node, Origin, Tree
from quard.image.yielding import yielded
from quard.plan.image import RootfsPlan
from quard.target import Target

_SYSTEM = Origin("system", "system")
_HOME_MODE = 0o700
_NO_HOME = "nonexistent"
"""Relative to /: Debian's convention for the home of an account without one."""
_VOLATILE = ("dev", "proc", "run", "sys", "tmp")
"""Top folders that are mount points in the guest."""
_DATA = replace(_SYSTEM, instead="it belongs to the data disk, [data] of the board")
_MERGED = replace(_SYSTEM, instead="it is a link into /usr in every image")
_INDEX = replace(_SYSTEM, instead="it is generated from the kernel modules of the image")


@record
class RootfsJob(Record):
    """A root file system to make: its plan and the inputs that the plan names.

    layers   -- in any order: two of them never have the same file
    placed   -- (package, path, node) of the plan's files
    starts   -- those of them that are start scripts, the programs that these run, and their users
    left_out -- (package in the image, part that is not) -> returns the blob of this part
    overlays -- each may replace files of the packages and of earlier overlays
    formats  -- file systems to make from rootfs.tar, which must respect their limits
    size_mib -- of the ext4 file system; None: by its content
    hook     -- changes the files before they are checked, and returns errors; None: nothing does
    known    -- file of what is in the layers, for the next image; None: that is not kept
    """

    plan: RootfsPlan
    layers: tuple[Layer, ...]
    overlays: tuple[Overlay, ...]
    system: System
    target: Target
    formats: tuple[str, ...] = ()
    size_mib: int | None = None
    placed: tuple[tuple[str, str, Node], ...] = ()
    starts: tuple[tuple[str, str, str], ...] = ()
    left_out: Mapping[tuple[str, str], Callable[[], Path]] = field(default_factory=dict)
    hook: Callable[[Tree], Iterable[QuardError]] | None = None
    known: Path | None = None


def assemble(job: RootfsJob, tar: Path, manifest_path: Path) -> Assembled:
    """Write rootfs.tar and manifest.json, each atomically.

    Raises QuardError: bad-tar, disk-full, the errors of `vet`, permission-unused, those of
    `modules.index` and `check.errors`, and those of what the formats cannot hold or boot.
    """
    people = _people(job)
    layers = Layers(job.known)
    made = _filled(job, people, layers)
    if made.errors:
        raise together("the files of the image", made.errors)
    tree, needed = made.tree, OnlyNeeded(job.left_out)
    named = apply(tree, people, job.plan.permissions, job.system.permissions, needed=needed)
    hardened = Hardened(job.plan.hardening, job.plan.unhardened, needed)
    times = Times(tree, job.target)
    dangling = job.system.dangling
    found = [*check.errors(tree, job.target, people, dangling, hardened, needed, times)]
    if not found:
        drop_unneeded(tree, job.plan.on_demand, needed.links)
    found += [
        *special.errors(tree, job.overlays, named | job.system.folders),
        *started.errors(tree, job.starts),
        *persistent.errors(tree, job.plan.persistent or ()),
        *_size_errors(job, tree),
        *(cpio.boot_errors(tree.nodes) if "cpio.gz" in job.formats else ()),
    ]
    if found:
        raise together("the image", found)
    # Most of both is reading and hashing, which threads do at the same time.
    with ThreadPoolExecutor(1) as other:
        listed = other.submit(manifest.write, tree, manifest_path)
        written = tarimage.write(tree.nodes, tar)
        digests = listed.result()
    return Assembled(
        written.sha256,
        written.entries(tree.nodes, digests),
        needed.unlinked(tree),
        tuple(times.static),
        partial(layers.write, digests),
    )


def vet(job: RootfsJob) -> tuple[str, ...]:
    """Find errors that do not depend on packages, before any is built; `layers` is not used.

    Returns warnings. Raises QuardError for all errors found: file-collision, parent-not-folder,
    bad-file-name, user-clash, unknown-user, bad-hostname, bad-key, bad-release, bad-mode,
    special-mode, file-capabilities, image-too-big, image-too-small, the errors of `scripts`.
    """
    people = _people(job)
    made = _filled(replace(job, layers=()), people, Layers(), whole=False)
    tree = made.tree
    named = apply(tree, people, job.plan.permissions, job.system.permissions, partial=True)
    found = [
        *made.errors,
        *scripts.errors(tree),
        *started.strangers(tree, job.starts, people),
        *special.errors(tree, job.overlays, named | job.system.folders),
        *_size_errors(job, tree),
    ]
    if found:
        raise together("the overlays", found)
    return tuple(special.warnings(tree, job.overlays))


def around(job: RootfsJob) -> Tree:
    """Return the paths of a root of which not all packages are known; `vet` has their errors."""
    return _filled(job, _people(job), Layers(), whole=False).tree


def _size_errors(job: RootfsJob, tree: Tree) -> Iterator[QuardError]:
    yield from limits.errors(tree.nodes, job.formats)
    if "ext4" in job.formats:
        yield from ext4.size_errors(tree.nodes, job.size_mib)


def _people(job: RootfsJob) -> accounts.Accounts:
    return accounts.merge(
        job.system.users, job.system.groups, job.plan.users, job.plan.root_password
    )


@dataclass
class _Gathering:
    """A tree while it is filled, and the errors found."""

    tree: Tree = field(default_factory=Tree)
    errors: list[QuardError] = field(default_factory=list)

    def put(self, path: str, node: Node, origin: Origin) -> bool:
        """Add a node; return whether that was possible."""
        try:
            self.tree.add(path, node, origin)
        except QuardError as error:
            self.errors.append(error)
            return False
        return True

    def take(self, found: Iterable[tuple[str, Node] | QuardError], origin: Origin) -> None:
        """Add nodes and collect errors."""
        for each in found:
            if isinstance(each, QuardError):
                self.errors.append(each)
            else:
                self.put(*each, origin)


def _filled(
    job: RootfsJob, people: accounts.Accounts, layers: Layers, *, whole: bool = True
) -> _Gathering:
    """Return the paths of an image, and errors for conflicts among them.

    whole -- the packages are included, so that the index of kernel modules can be made
    """
    made = _Gathering()
    for top in ("bin", "sbin", "lib"):
        made.put(top, Node("link", 0o777, target=f"usr/{top}"), _MERGED)
        made.put(f"usr/{top}", Node("directory", 0o755), _SYSTEM)
    if job.target.loader.startswith("/lib64/"):
        made.put("lib64", Node("link", 0o777, target="usr/lib"), _MERGED)
    _add_packages(made, job, layers)
    for path, node, key in files(
        job.plan.hostname, dict(job.plan.release), job.plan.authorized_keys, people
    ):
        made.put(path, node, replace(_SYSTEM, instead=key))
    for overlay in job.overlays:
        made.take(fold(made.tree, overlay), Origin("overlay", overlay.name))
    _add_system(made, job.system, people)
    if whole and job.hook is not None:
        made.errors += made.tree.complete()
        if not made.errors:
            made.errors += job.hook(made.tree)
    if whole:
        made.take(modules.index(made.tree), _INDEX)
    made.errors += made.tree.complete()
    _add_homes(made, job, people)
    if job.plan.persistent is not None:
        made.take(persistent.nodes(job.plan.persistent), _DATA)
    return made


def _add_packages(made: _Gathering, job: RootfsJob, layers: Layers) -> None:
    found = [
        (each.package, layers.nodes(each)) for each in sorted(job.layers, key=lambda e: e.package)
    ]
    contents: dict[str, dict[str, Node]] = {}
    for package, nodes in found:
        contents.setdefault(package, {}).update(nodes)
    for package, path in yielded(contents, dict(job.plan.yields)):
        made.tree.yielded.setdefault(path, set()).add(package)
    for package, nodes in found:
        origin = Origin("package", package)
        for path, node in nodes.items():
            if package not in made.tree.yielded.get(path, ()):
                made.put(path, node, origin)

    for package, path, node in job.placed:
        made.put(made.tree.canonical(path), node, Origin("package", package))


def _add_system(made: _Gathering, system: System, people: accounts.Accounts) -> None:
    tree = made.tree
    for path, access in system.directories:
        if made.put(path[1:], Node("directory", 0o755), _given("[[directory]]")):
            node = tree.nodes[path[1:]]
            node.mode = access.mode
            node.uid = people.uid(access.owner, path)
            node.gid = people.gid(access.group, path)
    for path, device in system.devices:
        node = Node(
            device.kind,
            device.access.mode,
            uid=people.uid(device.access.owner, path),
            gid=people.gid(device.access.group, path),
            device=(device.major, device.minor),
        )
        made.put(path[1:], node, _given("[[device]]"))
    for path, leads in system.links:
        old = tree.nodes.get(path[1:])
        if path[1:] in MERGED and old is not None and old.target == leads:
            continue  # a table may contain what is true of every image anyway
        made.put(path[1:], Node("link", 0o777, target=leads), _given("[[link]]"))


def _add_homes(made: _Gathering, job: RootfsJob, people: accounts.Accounts) -> None:
    """Make homes that do not exist yet, accessible to their user only.

    For an existing path, its own row sets owner and mode. The running system makes homes in
    volatile folders.
    """
    packages = {user.name: package for package, user in job.plan.users}
    for user in people.users:
        try:
            home = made.tree.resolve(user.home)
        except QuardError as error:
            made.errors.append(error)
            continue
        if home in ("", _NO_HOME) or home in made.tree.nodes or home.split("/")[0] in _VOLATILE:
            continue
        origin = Origin("package", packages[user.name]) if user.name in packages else _SYSTEM
        made.put(home, Node("directory", _HOME_MODE, uid=user.uid, gid=user.gid), origin)
        made.errors += made.tree.complete()


def _given(table: str) -> Origin:
    """Return the origin of nodes from the system's table."""
    return replace(_SYSTEM, instead=f"it is a {table} of the system's table")
