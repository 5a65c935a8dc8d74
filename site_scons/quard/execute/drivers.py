"""Compiler drivers as a build sees them: sealed sysroot, plain names, the board's hardening.

Packages may ignore flags in the environment, but they cannot bypass the driver.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from quard.base.errors import QuardError
from quard.base.placeholders import NATIVE
from quard.execute import machines_own, musl, native
from quard.execute.launcher import Launcher
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import Work
from quard.process.starting import run
from quard.process.system import System
from quard.target import c_library

_COMPILERS = ("gcc", "g++", "cpp")
_STARTED = ("gcc", "g++")
"""Those that a launcher starts."""
_LINKERS = ("ld", "ld.bfd")
_FOLDER = "lib"
"""Subfolder of the tools folder with the files that the drivers refer to."""
_START = "rcrt1.o"
"""Start file of a static position-independent executable."""
_FORTIFY_3 = 12
"""The first gcc that supports level 3 of _FORTIFY_SOURCE; glibc warns with an older one."""


def write_drivers(
    work: Work, toolchain: Toolchain, plan: Plan, inside: str, launcher: Launcher | None = None
) -> None:
    """Put the cross tools into the tools folder, compilers and linkers with their fixed options.

    Builds see the cross tools under the target's triple, whatever their real names are. Debug
    information gives NAME-VERSION as the source path.
    inside -- the root of the fixed paths as commands see it
    launcher -- what starts the compilers; None: the drivers do
    Raises QuardError: compiler-failed, library-missing.
    """
    (work.tools / _FOLDER).mkdir()
    _provide(work.tools / _FOLDER, toolchain, plan)
    specs = _specs(work, toolchain, plan, inside)
    (work.tools / _FOLDER / "driver.specs").write_text(specs)
    compiler = _options(work, plan, inside)
    linker = (*_linker_sysroot(toolchain, plan, inside), *_link_options(plan.hardening))
    for name, place in toolchain.commands.items():
        path = toolchain.shown(place)
        link = work.tools / f"{plan.triple}-{name}"
        if name in _COMPILERS:
            command = (str(path), *compiler)
            started = launcher and name in _STARTED and launcher.script(work, plan, command)
            _write_script(link, started or _line(command))
        elif name in _LINKERS and linker:
            _write_script(link, _line((str(path), *linker)))
        else:
            link.symlink_to(path)
    if plan.native:
        _name_plainly(work, toolchain, plan.triple)
    elif _has_musl(plan):
        # Even if the toolchain has none: a build must not report a missing command.
        compiler_for_cxx = work.tools / f"{plan.triple}-g++"
        compiler_for_cxx.unlink(missing_ok=True)
        _write_script(compiler_for_cxx, musl.refusal(compiler_for_cxx.name))


def _options(work: Work, plan: Plan, inside: str) -> tuple[str, ...]:
    """Return the fixed options of the compilers."""
    seen = (f"{inside}/native={NATIVE}",) if plan.native else (f"{inside}/sysroot=",)
    options = (
        *(() if plan.native else (f"--sysroot={inside}/sysroot",)),
        f"-specs={inside}/tools/{_FOLDER}/driver.specs",
        f"-ffile-prefix-map={inside}/src=/usr/src/{plan.name}-{plan.version}",
        *(f"-ffile-prefix-map={folders}" for folders in seen),
    )
    if (work.tools / _FOLDER / _START).exists():
        options += (f"-B{inside}/tools/{_FOLDER}/",)
    return options


def _name_plainly(work: Work, toolchain: Toolchain, triple: str) -> None:
    """Let the plain names of compilers stand for the drivers as well."""
    for name in (each for each in _COMPILERS if each in toolchain.commands):
        plain = work.tools / name
        plain.unlink(missing_ok=True)
        plain.symlink_to(f"{triple}-{name}")
    if "g++" in toolchain.commands:
        (work.tools / "c++").symlink_to("g++")


def _line(command: Sequence[str]) -> str:
    return f'exec {shlex.join(command)} "$@"\n'


def _write_script(link: Path, text: str) -> None:
    link.write_text(f"#!/bin/sh\n{text}")
    link.chmod(0o755)


def _has_musl(plan: Plan) -> bool:
    return c_library(plan.triple) == "musl"


def _is_machines_own(plan: Plan, toolchain: Toolchain) -> bool:
    """Return whether a build for a target has a compiler that finds the machine's libraries."""
    return not plan.native and not _has_musl(plan) and toolchain.is_machines_own


def _provide(folder: Path, toolchain: Toolchain, plan: Plan) -> None:
    """Fill the folder with the compiler's libraries that are beside others. Raises QuardError."""
    if _has_musl(plan):
        musl.provide(folder, toolchain)
    elif _is_machines_own(plan, toolchain):
        machines_own.provide(folder, toolchain)


def _linker_sysroot(toolchain: Toolchain, plan: Plan, inside: str) -> tuple[str, ...]:
    """Return the option of a linker that would search the machine's libraries otherwise."""
    return (f"--sysroot={inside}/sysroot",) if _is_machines_own(plan, toolchain) else ()


_FORTIFY = """\
/* Read before the source. A level that the package names itself stands. */
#if defined __OPTIMIZE__ && !defined _FORTIFY_SOURCE
#define _FORTIFY_SOURCE {level}
#endif
"""


def _level(toolchain: Toolchain, hardening: Sequence[str]) -> int:
    level = next((int(w.partition("=")[2]) for w in hardening if w.startswith("fortify=")), 0)
    major = toolchain.version.partition(".")[0]
    return min(level, 3 if major.isdigit() and int(major) >= _FORTIFY_3 else 2)


_POSITION = "fno-pie|fno-PIE|fno-pic|fno-PIC|ffreestanding"
"""Options by which a package opts out of position-independent executables."""
_NO_PROGRAM = f"shared|r|no-pie|nostdlib|nostartfiles|{_POSITION}"
"""Options whose output is not a program with the C library, or not such an executable."""


def _specs(work: Work, toolchain: Toolchain, plan: Plan, inside: str) -> str:
    """Return a spec file (gcc, "Spec Files"), and write the files that it refers to.

    This lets the compiler itself decide what applies: it has read every option, response files
    included, and knows whether it preprocesses, compiles or links.
    """
    parts: dict[str, list[str]] = {"self_spec": [], "link": [], "cpp_unique_options": []}
    hardening = plan.hardening
    if plan.native:
        parts["link"].append(" ".join(map(_word, native.link_options(inside))))
    else:
        parts["link"].append(_rpath_link(inside, _libraries(toolchain, plan, inside)))
    if _has_musl(plan):
        for name, text in musl.besides(_word(f"{inside}/sysroot")).items():
            parts[name].append(text)
    if "pie" in hardening:
        given = f"fpie|fPIE|fpic|fPIC|{_POSITION}"
        parts["self_spec"].append(f"%{{{given}:;:-fPIE}}")
        parts["self_spec"].append(f"%{{static|static-pie|pie|{_NO_PROGRAM}:;:-pie}}")
        if _has_musl(plan) or _has_start(work, toolchain, plan.triple):
            switch = "%<static %<pie -static-pie"
            parts["self_spec"].append(f"%{{static:%{{pg|p|profile|{_NO_PROGRAM}:;:{switch}}}}}")
        # Before version 13, gcc does not support static-pie for every target.
        parts["link"].append("%{static-pie:-static -pie --no-dynamic-linker}")
    if "stack_protector" in hardening:
        given = "fno-stack-protector|fstack-protector*|ffreestanding|nostdlib"
        parts["self_spec"].append(f"%{{{given}:;:-fstack-protector-strong}}")
    if level := _level(toolchain, hardening):
        (work.tools / _FOLDER / "fortify.h").write_text(_FORTIFY.format(level=level))
        header = _word(f"{inside}/tools/{_FOLDER}/fortify.h")
        given = "U_FORTIFY_SOURCE|ffreestanding"
        parts["cpp_unique_options"].append(f"%{{{given}:;:-imacros {header}}}")
    if options := " ".join(_link_options(hardening)):
        parts["link"].append(f"%{{!r:{options}}}")
    texts = {name: f"+ {' '.join(words)}" for name, words in parts.items() if words}
    texts |= _instead(toolchain, plan, inside)
    return "".join(f"*{name}:\n{text}\n\n" for name, text in texts.items())


def _instead(toolchain: Toolchain, plan: Plan, inside: str) -> Mapping[str, str]:
    """Return spec name -> text that replaces the compiler's own."""
    own = f"{inside}/tools/{_FOLDER}"
    if _has_musl(plan):
        return musl.instead(_word(f"{inside}/sysroot"), _word(own))
    if _is_machines_own(plan, toolchain):
        folders = (toolchain.folder_of("libgcc.a"), *_libraries(toolchain, plan, inside))
        return machines_own.instead(_word(str(folder)) for folder in folders)
    return {}


def _libraries(toolchain: Toolchain, plan: Plan, inside: str) -> tuple[Path, ...]:
    """Return the folders of the toolchain's shared libraries as commands see them."""
    if _has_musl(plan):
        return ()
    if _is_machines_own(plan, toolchain):
        return (toolchain.folder_of("libc.so.6"), Path(inside) / "tools" / _FOLDER)
    return tuple(map(toolchain.shown, toolchain.libraries))


def _rpath_link(inside: str, own: Iterable[Path]) -> str:
    """Return the folders of the libraries that libraries in the sysroot need.

    With --sysroot, ld searches for these in the sysroot only, but libm is in the toolchain (ld(1),
    -rpath-link; this does not change the output). As -Wl options they would be linker input, and
    `gcc -v` would try to link.
    own -- the folders of the toolchain's libraries as commands see them
    """
    folders = (f"{inside}/sysroot/usr/lib", f"{inside}/sysroot/lib", *own)
    return " ".join(f"-rpath-link {_word(str(folder))}" for folder in folders)


def _word(text: str) -> str:
    """Return a word quoted for a spec file."""
    return re.sub(r"([\\\s%{}])", r"\\\1", text)


def _link_options(hardening: Sequence[str]) -> tuple[str, ...]:
    """Return the linker's options. A package's own options come later and take precedence."""
    words = {"relro": "relro", "bind_now": "now", "noexecstack": "noexecstack"}
    return tuple(part for word in words if word in hardening for part in ("-z", words[word]))


def _has_start(work: Work, toolchain: Toolchain, triple: str) -> bool:
    """Return whether static programs can be position-independent; install our start file.

    It replaces the one that the toolchain's C library lacks (execute/start).
    """
    if toolchain.static_pie:
        return True
    source = Path(__file__).with_name("start") / f"{triple.partition('-')[0]}.c"
    if not source.is_file():
        return False
    made = _start_file(toolchain.system, toolchain.commands["gcc"], source)
    (work.tools / _FOLDER / _START).write_bytes(made)
    return True


@cache
def _start_file(system: System, gcc: Path, source: Path) -> bytes:
    """Return the object file; compiled once per run. Raises QuardError compiler-failed."""
    options = "-O2 -fPIE -ffreestanding -fno-stack-protector -c".split()
    with TemporaryDirectory() as name:
        scratch = Path(name)
        shutil.copy(source, scratch)  # the object contains the path that the compiler is given
        words = (*system.start_gcc(gcc, scratch), *options, source.name, "-o", _START)
        done = run(words, cwd=scratch, env={"LC_ALL": "C", "PATH": os.defpath})
        if done.returncode == 0:
            return (scratch / _START).read_bytes()
    raise QuardError(
        "the cross compiler cannot compile the start file of static programs",
        detail=done.stderr.decode(errors="replace").strip(),
        reason="compiler-failed",
        hint="install it completely, or set [hardening] pie = false in the board's file",
    )
