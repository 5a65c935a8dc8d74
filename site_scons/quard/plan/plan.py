"""The plan: everything the executor needs to know about one package, and its identity.

A plan is the only interface between recipes and boards on one side and the executor on the other.
It holds no address, no path of the machine and no text for people. Nothing of a recipe or board
outside the plan decides whether a package is rebuilt.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from quard.base import canonical
from quard.base.files import FileRef
from quard.base.record import Record, record
from quard.plan.unit import target_parts

ORIGINS = 1
"""Version of what the record of a package without a source says about the origin of its files."""
ANSWERS = 1
"""Version of the questions that a configure script need not ask itself (execute/questions)."""
EXECUTOR = 2
"""Version of the executor's results; increased when equal plans give other results."""
BUILD = "quardroot-build"
"""Folder below the source for builds that do not write into the source itself."""
PUT = ("install", "-C", "-D", "-m", "0644")
"""Copies a file of {files} into the source, unless the same one is there: make sees no change."""

Phase = Literal["prepare", "configure", "build", "install"]
PHASES: tuple[Phase, ...] = ("prepare", "configure", "build", "install")


@record
class RunStep(Record):
    """Run a command in the source folder.

    modular -- run only if `.config` builds something as a module
    serial  -- make runs one job at a time: what is installed may follow from the order
    """

    phase: Phase
    argv: tuple[str, ...]
    modular: bool = False
    serial: bool = False

    def as_json(self) -> dict[str, Any]:
        only = {"only": "modular"} if self.modular else {}
        jobs = {"jobs": 1} if self.serial else {}
        return {"phase": self.phase, "run": self.argv, **only, **jobs}


@record
class CopyStep(Record):
    """Copy a file from the source (or the recipe's files) into the staging folder.

    values -- of the placeholders in a file of the recipe that is a template; None: it is none
    """

    phase: Phase
    source: str
    destination: str
    mode: str
    values: tuple[tuple[str, str], ...] | None = None

    def as_json(self) -> dict[str, Any]:
        fill = {} if self.values is None else {"fill": dict(self.values)}
        return {"phase": self.phase, "copy": [self.source, self.destination, self.mode], **fill}


@record
class LinkStep(Record):
    """Create a symbolic link in the staging folder."""

    phase: Phase
    path: str
    target: str

    def as_json(self) -> dict[str, Any]:
        return {"phase": self.phase, "link": [self.path, self.target]}


@record
class WriteStep(Record):
    """Write a text file into the source folder.

    path -- below the source folder, in a folder that exists
    """

    phase: Phase
    path: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"phase": self.phase, "write": self.path, "lines": self.text.splitlines()}


@record
class KconfigStep(Record):
    """Write `.config`: base target, then fragments, then the features' lines, then refresh.

    make      -- argument vector of make, without a target
    fragments -- names of fragments, applied to the base in this order
    lines     -- configuration lines of the features, applied after the fragments
    relied    -- options that packages rely on, see quard.plan.kernel, applied before `lines`
    """

    phase: Phase
    make: tuple[str, ...]
    base: str
    refresh: str
    fragments: tuple[str, ...]
    lines: tuple[str, ...]
    relied: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        settings = {
            "make": self.make,
            "base": self.base,
            "refresh": self.refresh,
            "fragments": self.fragments,
            "lines": self.lines,
            **({"relied": self.relied} if self.relied else {}),
        }
        return {"phase": self.phase, "kconfig": settings}


@record
class ToolchainStep(Record):
    """Copy libraries of the cross toolchain into the staging folder's usr/lib.

    optional -- those that the toolchain may lack
    """

    phase: Phase
    libraries: tuple[str, ...]
    loader: str
    optional: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"libraries": self.libraries, "loader": self.loader}
        if self.optional:
            settings["optional"] = self.optional
        return {"phase": self.phase, "toolchain-runtime": settings}


@record
class HeadersStep(Record):
    """Copy folders of the kernel's headers that the cross toolchain has into usr/include."""

    phase: Phase
    folders: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"phase": self.phase, "toolchain-headers": self.folders}


Step = RunStep | CopyStep | LinkStep | WriteStep | KconfigStep | ToolchainStep | HeadersStep


@record(kw_only=True)
class Plan(Record):
    """The build of one package.

    sources  -- digests of the accepted archives, upstream's first. One of them is unpacked and
                named in the result: they are not part of the plan's identity
    further  -- (folder of the source tree, digest) of the archives that are unpacked there
    tree     -- digest of a local source tree that replaces the archive, or ""
    folders  -- the same of the recipe's own folders, which are copied after the patches
    patches  -- applied in this order
    files    -- the recipe's other files, which steps find in {files}
    features -- (name, on) of every feature, for people who compare plans
    needs    -- packages whose dev parts make up the sysroot, sorted
    links    -- packages of which the sysroot has only the shared libraries, sorted
    exports  -- those of `needs` that dependants see as well, sorted. They decide what is refused,
                not what is made: they are not part of the plan's identity
    natives  -- parts of packages for the build machine that the build sees, as NAME:PART, sorted
    native   -- it is built for the build machine
    tools    -- commands of the build machine beyond the common ones
    env      -- environment of every step beyond the executor's, sorted by name
    cflags   -- the board's compiler flags, which the compiler wrapper adds
    hardening -- defences that the compiler driver adds, sorted; empty for freestanding packages
    drop     -- wildcards of staged paths that are removed
    expects  -- wildcards of paths, each of which must match an installed file
    parts    -- (part, wildcards of staged paths that it has), sorted
    licenses -- paths of licence files in the source
    taken    -- it has no source: its record says which packages of the tools its files come from
    answers  -- its configure scripts are given answers about a C library that is no package
    """

    name: str
    version: str
    triple: str
    sources: tuple[str, ...] = ()
    further: tuple[tuple[str, str], ...] = ()
    tree: str = ""
    folders: tuple[tuple[str, str], ...] = ()
    patches: tuple[FileRef, ...] = ()
    files: tuple[FileRef, ...] = ()
    features: tuple[tuple[str, bool], ...] = ()
    needs: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    native: bool = False
    tools: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    cflags: str = ""
    hardening: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    drop: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    deploys: bool = False
    licenses: tuple[str, ...] = ()
    taken: bool = False
    answers: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data; two plans are equal if and only if their data are."""
        exports = {"exports": self.exports} if self.exports else {}
        return {**self.instructions(), "sources": self.sources, **exports}

    def instructions(self) -> dict[str, Any]:
        """Return everything that decides what is made from an archive, whichever is unpacked."""
        return {
            "executor": EXECUTOR,
            "name": self.name,
            "version": self.version,
            "triple": self.triple,
            "tree": self.tree,
            "patches": [[f.name, f.sha256] for f in self.patches],
            "files": [f.entry for f in self.files],
            "features": dict(self.features),
            "needs": self.needs,
            "links": self.links,
            **({"natives": self.natives} if self.natives else {}),
            **({"native": True} if self.native else {}),
            "tools": self.tools,
            "env": dict(self.env),
            "cflags": self.cflags,
            "hardening": self.hardening,
            "steps": [step.as_json() for step in self.steps],
            "drop": self.drop,
            **({"expects": self.expects} if self.expects else {}),
            "parts": dict(self.parts),
            "deploys": self.deploys,
            "licenses": self.licenses,
            **({"further": self.further} if self.further else {}),
            **({"folders": self.folders} if self.folders else {}),
            **({"origins": ORIGINS} if self.taken else {}),
            **({"answers": ANSWERS} if self.answers else {}),
        }

    @property
    def target_parts(self) -> tuple[str, ...]:
        """Names of the parts with files for the target."""
        return target_parts(name for name, _ in self.parts)

    @property
    def result_parts(self) -> tuple[str, ...]:
        """Names of the parts whose bytes other units may be made from."""
        dev = ("dev",) if self.native else ()
        return (*dev, *self.target_parts, *(("deploy",) if self.deploys else ()))

    @property
    def tracks(self) -> bool:
        """Whether the package's make tracks all dependencies of its outputs, as Kbuild does."""
        return any(isinstance(step, KconfigStep) for step in self.steps)

    @property
    def installs(self) -> int:
        """Number of steps before the final ones that only install."""
        early = (n for n, step in enumerate(self.steps, start=1) if step.phase != "install")
        return max(early, default=0)

    @property
    def keeps(self) -> bool:
        """Whether the work folder is kept as an incremental build directory."""
        return bool(self.tree) or self.tracks

    @property
    def archives(self) -> tuple[str, ...]:
        """Digests of the archives that a result may be made from, the best first; "": none."""
        return self.sources or ("",)

    @property
    def called(self) -> None:
        """A package is made by its own build alone, see unit.UnitPlan."""

    @property
    def made_by(self) -> tuple[str, ...]:
        """The commands that it calls besides the common ones."""
        return self.tools

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the canonical instructions."""
        return canonical.typed_digest(self.instructions())
