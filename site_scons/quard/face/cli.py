"""The command line: targets and variables -> the command; nothing is read from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from quard.base.errors import QuardError
from quard.base.names import meant, unknown
from quard.base.record import Record, record
from quard.boards import settings
from quard.plan.unit import parted, qualified

DEFAULT_BOARD = "quard-star"
VARIABLES = {
    "BOARD": f"the board, configs/NAME.toml (default: that of quardroot.toml, or {DEFAULT_BOARD})",
    "STRICT": "1: fail if the source of a wanted feature is not available",
    "FORMAT": "json: print JSON, for questions and diffconfig",
    "QEMU_ARGS": "additional arguments for QEMU, for run",
    "SHARE": "folder that the guest mounts at /mnt, for run",
    "SHARE_CACHE": "mmap: shared writable mappings on /mnt, at the cost of coherence, for run",
    "FORWARD": "ports for run, as tcp:3522:22,tcp:3580:80, or none; host port 0: a free one",
    "ROOT": "root file system for run, as squashfs: one of the board's formats",
    "FRESH": "1: run starts from the image as it was built, not from the last boot's disk",
    "SNAPSHOT": "1: run discards what the guest writes",
    "STATE": "folder of the guest's disk, for run",
    "APPEND": "additional kernel parameters, for run",
    "PANIC": "when the kernel panics: exit (status 3), keep or reboot, for run",
    "NETWORK": "none: run without a network device",
    "DEBUG": "1: run waits for gdb (PORT: on that port); symbols are in out/BOARD/debug",
    "TREE": "for NAME-patch: the product tree that gets the patches of new commits",
    "ALLOW": "for compile-host: networks that may ask, with commas",
    "LISTEN": "for compile-host: address and port",
    "PYTEST_ARGS": "additional arguments for pytest, for test",
    "BENCH_ARGS": "for bench: parts such as overlay, clones, clean; --help lists them",
}
OVERVIEWS = ("boards", "packages", "bash-completion", "zsh-completion")
"""Questions that are about no board."""
QUESTIONS = (*OVERVIEWS, "depends", "info", "list", "rdepends", "why")
BUILDS = ("bench", "compile-host", "gc", "images", "run", "source", "test", "tools-update")
_ONE_NAME = ((1,), "the name of one package")
_NO_NAME = ((0,), "no name")
_ONE_OR_NONE = ((0, 1), "the name of one package, or none")
_NAMES = {
    **dict.fromkeys((*OVERVIEWS, "list"), _NO_NAME),
    **dict.fromkeys(("info", "why"), _ONE_OR_NONE),
}
"""How many names a question takes."""
KCONFIG = ("diffconfig", "menuconfig", "savedefconfig")
EDITS = ("edit", "patch")
OPENED = (*KCONFIG, *EDITS, "shell")
"""Verbs that work in a folder of one package; they follow its name."""
SUFFIXES = (*OPENED, "rebuild")
HELP = {
    "images": "build the board's images (the default target)",
    "run": "build, then boot on this terminal; Ctrl-A X quits",
    "test": "run all checks, with a real boot; of a product: compare its plans with golden/",
    "source": "fetch and verify every source of the board",
    "gc": "remove the least recently used results from the stores, down to cache.limit",
    "tools-update": "write the lock files of the pinned tools as the Debian release is now",
    "compile-host": "compile for other machines with the board's compiler (distcc)",
    "bench": "measure the build, the image and the boot; JSON on the last line",
    "NAME": "build one package and what it needs",
    "NAME-rebuild": "rebuild that package, even if nothing changed",
    "NAME-menuconfig": "edit a configuration (linux, busybox); your changes are saved in the board",
    "NAME-savedefconfig": "save a .config that was edited by hand, in as few lines as possible",
    "NAME-diffconfig": "show what the board and an edited .config change",
    "NAME-shell": "open a shell in that package's sealed build environment",
    "NAME-edit": "check out the patched source as edit/NAME; NAME is built from it meanwhile",
    "NAME-patch": "save the commits made there as patches beside the recipe, and remove it",
    "ROOT/NAME...": "the same for a package of one of the board's named roots",
    "boards": "list the boards of all trees",
    "packages": "list the packages of all trees, with what is optional in each",
    "list": "list the board's packages",
    "info [NAME]": "show the details of one package, or of the board",
    "depends NAME": "show what it needs",
    "rdepends NAME": "show what needs it",
    "why [NAME]": "show what a build would do now and why, and what the last one did",
    "bash-completion": "print a script for bash that completes these words",
    "zsh-completion": "the same for zsh",
}

OPTIONS = {
    "-n": "print what would be done, as `why` does, and do nothing",
    "-c": "remove results and images; keep the store, logs and work folders",
    "-s": "print only warnings, errors and requested output",
}
"""SCons options that have a meaning here; man scons lists all."""

Verb = Literal[
    "build", "rebuild", "menuconfig", "savedefconfig", "diffconfig", "edit", "patch",
    "shell", "images", "run", "test", "source", "bench", "gc", "tools-update",
    "compile-host", "list", "info", "depends", "rdepends", "why", "boards", "packages",
    "bash-completion", "zsh-completion",
]  # fmt: skip
_VERBS: dict[str, Verb] = {verb: verb for verb in get_args(Verb)}


@record
class Command(Record):
    """The user's request.

    names    -- packages to build or to answer about, each as NAME or ROOT/NAME
    settings -- the arguments that override local.toml
    given    -- the other variables
    """

    verb: Verb
    names: tuple[str, ...]
    board: str
    given: Mapping[str, str]
    settings: Mapping[str, str]

    @property
    def strict(self) -> bool:
        return self.given.get("STRICT", "0") not in ("", "0")

    @property
    def as_json(self) -> bool:
        return self.given.get("FORMAT", "text") == "json"

    @property
    def debugs(self) -> bool:
        """Whether the machine waits for gdb."""
        return self.verb == "run" and self.given.get("DEBUG", "0") not in ("", "0")

    @property
    def opens(self) -> bool:
        """Whether the command works in a folder of one package and builds what it needs."""
        return self.verb in OPENED

    @property
    def builds(self) -> bool:
        """Whether the command makes files, so that it needs the tree's lock."""
        return self.verb not in (*QUESTIONS, "test", "bench", "compile-host", "gc", "tools-update")


def parse(
    targets: Sequence[str],
    arguments: Mapping[str, str],
    packages: Sequence[str],
    boards: Sequence[str] = (),
) -> Command:
    """Return the command.

    packages -- every name in the catalog
    boards   -- every board's name, to report one given as a target
    Raises QuardError: unknown-variable, bad-variable, unknown-target-name, bad-question.
    """
    given = {name: text for name, text in arguments.items() if not settings.is_setting(name)}
    for name in sorted(given):
        if name not in VARIABLES:
            raise _unknown("variable", name, [*VARIABLES, *(f"{t}.KEY" for t in settings.TABLES)])
    if given.get("FORMAT", "text") not in ("json", "text"):
        raise QuardError(
            f"unknown FORMAT={given['FORMAT']}",
            reason="bad-variable",
            hint="FORMAT=json or FORMAT=text",
        )
    verb, names = _verb(list(targets), packages, boards)
    return Command(
        verb=verb,
        names=names,
        board=given.get("BOARD", DEFAULT_BOARD),
        given=given,
        settings={name: text for name, text in arguments.items() if name not in given},
    )


def require_roots(command: Command, roots: Sequence[str], file: str) -> None:
    """Raise QuardError unknown-root if a package is that of a root that the board lacks.

    file -- the name of the board's file
    """
    for name in command.names:
        root, _ = parted(name)
        if root and root not in roots:
            raise unknown("root", root, roots, f"{file} names its roots, as [roots.NAME]")


def _verb(
    targets: list[str], packages: Sequence[str], boards: Sequence[str]
) -> tuple[Verb, tuple[str, ...]]:
    ours = [*packages, *(f"{name}-{suffix}" for name in packages for suffix in SUFFIXES)]
    known: list[str] = [*QUESTIONS, *BUILDS, *ours]
    if not targets:
        return "images", ()
    first, *rest = targets
    if first in QUESTIONS:
        return _question(first, rest, packages, boards)
    for target in targets:
        root, name = parted(target)
        if name not in ours if root else target not in known:
            others = [other for other in targets if other != target]
            near = [qualified(root, each) for each in ours] if root else known
            raise _unknown("target-name", target, near, boards, others)
    verbs = [target for target in targets if target in BUILDS]
    if len(verbs) > 1:
        raise _confused(targets)
    if verbs:
        if len(targets) > 1:
            raise _confused(targets)
        return _VERBS[verbs[0]], ()
    named = [
        (target, "build") if parted(target)[1] in packages else _suffixed(target)
        for target in targets
    ]
    suffixes = {suffix for _, suffix in named}
    if len(suffixes) > 1 or (len(named) > 1 and suffixes & {*OPENED}):
        raise _confused(targets)
    return _VERBS[suffixes.pop()], tuple(name for name, _ in named)


def _suffixed(target: str) -> tuple[str, str]:
    """Return the name and the suffix of a target that has one."""
    name, _, suffix = target.rpartition("-")
    return name, suffix


def _question(
    verb: str, names: list[str], packages: Sequence[str], boards: Sequence[str]
) -> tuple[Verb, tuple[str, ...]]:
    allowed, shown = _NAMES.get(verb, _ONE_NAME)
    strange = next((name for name in names if name in boards and name not in packages), None)
    if strange is not None:
        others = [verb, *(name for name in names if name != strange)]
        raise _unknown("package", strange, packages, boards, others)
    if len(names) not in allowed:
        raise QuardError(
            f"`{verb}` takes {shown}",
            reason="bad-question",
            hint=next(f"./scons {text}" for text in HELP if text.split()[0] == verb),
        )
    for name in names:
        root, package = parted(name)
        if package not in packages:
            raise _unknown("package", name, [qualified(root, each) for each in packages])
    return _VERBS[verb], tuple(names)


def _confused(targets: Sequence[str]) -> QuardError:
    return QuardError(
        "these targets cannot be combined",
        detail=" ".join(targets),
        reason="bad-question",
        hint="run one after the other",
    )


def _unknown(
    kind: str,
    name: str,
    known: Sequence[str],
    boards: Sequence[str] = (),
    others: Sequence[str] = (),
) -> QuardError:
    if name in boards:
        return QuardError(
            f"{name!r} is a board, not a {kind.replace('-name', '')}",
            reason=f"unknown-{kind}",
            hint=" ".join(("./scons", f"BOARD={name}", *others)),
        )
    return QuardError(
        f"unknown {kind.replace('-name', '')} {name!r}",
        reason=f"unknown-{kind}",
        hint=meant(name, known, "./scons --help lists all targets"),
    )


def help_text() -> str:
    """Return the text of `./scons --help`."""
    lines = ["usage: ./scons [TARGET...] [VARIABLE=value...] [-jN]", "", "targets:"]
    width = max(len(name) for name in (*HELP, *VARIABLES, *OPTIONS))
    lines += [f"  {name:{width}}  {text}" for name, text in HELP.items()]
    lines += ["", "variables:"]
    lines += [f"  {name:{width}}  {text}" for name, text in VARIABLES.items()]
    lines += ["", "some options of SCons:"]
    lines += [f"  {name:{width}}  {text}" for name, text in OPTIONS.items()]
    lines += ["", "Settings of local.toml may be given as TABLE.KEY=value: docs/settings.md"]
    return "\n".join(lines) + "\n"
