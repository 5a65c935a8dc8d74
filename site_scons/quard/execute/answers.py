"""Answers for configure scripts about the compiler and its C library, found by one probe per run.

Dozens of configure scripts ask the same questions, and each compiles a program for every one. Our
probe asks them once and puts what is there into a site file (Autoconf manual, "Site Defaults").
What the probe does not find, the script looks for itself: no answer is negative. The compiler is
asked in a build's own sandbox while the sysroot is still empty, so that no answer comes from a
dependency, and with the build's own drivers and flags.

The answers are part of no key: they follow from the compiler, which is, and from the questions,
whose version the plan has.
"""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quard.base.files import make_empty
from quard.execute import sysroot
from quard.execute.questions import COMPILER, DEFAULT, FUNCTIONS, HEADERS, SIZED, TYPES
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import Sandbox

_FOUND = re.compile(r'^found "(?P<kind>\w+)" "(?P<name>[^"]+)"(?: (?P<value>\w+))?', re.MULTILINE)
_MISSING = re.compile(r"undefined reference to [`'](\w+)'")
_SIZE = re.compile(r'size (?P<value>\d+) "(?P<name>[^"]+)"')

Answers = Mapping[str, str]
"""Cache variable of Autoconf -> its value."""


@dataclass
class Book:
    """The answers of each compiler that this run has asked. Several threads may use it at once."""

    _known: dict[tuple[object, ...], Answers] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def give(
        self, plan: Plan, toolchain: Toolchain, sandbox: Sandbox, note: Callable[[str], None]
    ) -> None:
        """Write the site file of a plan that has one, and a line about it into the build's log."""
        if plan.answers:
            note(self.write(plan, toolchain, sandbox))

    def write(self, plan: Plan, toolchain: Toolchain, sandbox: Sandbox) -> str:
        """Write the site file into the tools folder of a work folder that holds nothing else yet.

        Returns a line about it for the log.
        """
        subject = (
            *(str(toolchain.commands["gcc"]), toolchain.fingerprint, sandbox.mode),
            *(plan.triple, plan.native, plan.cflags, plan.hardening),
        )
        with self._lock:
            found = self._known.get(subject)
            if found is None:
                found = self._known[subject] = _ask(plan, toolchain, sandbox)
        (sandbox.work.tools / sysroot.SITE).write_text(site(plan.triple, found))
        return f"configure: {len(found)} answers about the compiler and its C library are given"


def site(triple: str, answers: Answers) -> str:
    """Return the site file: each answer holds unless the script was given another.

    A script that configures for another machine takes none, as those that packages run for the
    programs of their own builds.
    """
    lines = (f': "${{{name}={value}}}"\n' for name, value in sorted(answers.items()))
    return f"case $host_alias in\n{triple})\n{''.join(lines)};;\nesac\n"


def _ask(plan: Plan, toolchain: Toolchain, sandbox: Sandbox) -> Answers:
    """Return what a compiler and its C library have; nothing if the compiler does not work."""
    work = sandbox.work
    if not plan.native:
        sysroot.own_sysroot(work.sysroot, toolchain)
    try:
        return _Probe(plan, sandbox).answers()
    finally:
        for folder in (work.src, work.sysroot):
            make_empty(folder)


class _Probe:
    """The probe, in the source folder of a work folder that has its tools and no source yet."""

    def __init__(self, plan: Plan, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        flags = (*shlex.split(plan.cflags), "-g", "-w", "-fno-builtin")
        self._compiler = shlex.join((f"{plan.triple}-gcc", *flags))

    def answers(self) -> Answers:
        self._write("seen.c", _questions())
        self._write("all.c", _calls(FUNCTIONS))
        cc = self._compiler
        self._run(f"{cc} -E -P seen.c -o seen.i", f"{cc} all.c -o all 2>undefined")
        seen = self._read("seen.i")
        if not seen:
            return {}
        absent = {*_MISSING.findall(self._read("undefined"))}
        functions = [name for name in _names(seen, "function") if name not in absent]
        return self._checked(seen, _names(seen, "header"), functions)

    def _checked(self, seen: str, headers: Sequence[str], functions: Sequence[str]) -> Answers:
        """Return the answers that a compiler confirms: what it refuses as a whole has none."""
        self._write("headers.c", _includes((*DEFAULT, *headers)))
        self._write("types.c", _includes(DEFAULT) + _uses())
        self._write("functions.c", _calls(functions))
        cc = self._compiler
        self._run(
            f"{cc} -fsyntax-only headers.c && echo yes >headers",
            f"{cc} functions.c -o program && echo yes >functions",
            f"{cc} -S types.c -o types.s",
        )
        sizes = {m["name"]: m["value"] for m in _SIZE.finditer(self._read("types.s"))}
        if not sizes:
            return {}
        found = dict(COMPILER)
        found |= {_variable("type", name): "yes" for name in TYPES}
        found |= {_variable("sizeof", name): sizes[name] for name in SIZED}
        found |= {m["name"]: m["value"] for m in _FOUND.finditer(seen) if m["kind"] == "answer"}
        if self._read("headers"):
            found |= {_variable("header", name): "yes" for name in headers}
        if self._read("functions"):
            found |= {_variable("func", name): "yes" for name in functions}
        return found

    def _run(self, *commands: str) -> None:
        """Run commands in a shell of the sandbox, each whatever the others' results are."""
        self._sandbox.hand_over()
        env = {"PATH": f"{self._sandbox.inside}/tools", "LC_ALL": "C"}
        with (self._sandbox.work.root / "answers.log").open("wb") as log:
            self._sandbox.run(("sh", "-c", "\n".join(commands)), env, log)

    def _write(self, name: str, text: str) -> None:
        (self._sandbox.work.src / name).write_text(text)

    def _read(self, name: str) -> str:
        """Return the text of a file that a command has made, empty if there is none."""
        path: Path = self._sandbox.work.src / name
        return path.read_text(errors="replace") if path.exists() else ""


def _names(seen: str, kind: str) -> list[str]:
    return [match["name"] for match in _FOUND.finditer(seen) if match["kind"] == kind]


def _variable(kind: str, name: str) -> str:
    """Return the cache variable in which Autoconf keeps the answer (AS_TR_SH)."""
    return f"ac_cv_{kind}_" + re.sub(r"[^A-Za-z0-9_]", "_", name.replace("*", "p"))


def _questions() -> str:
    """Return a text whose preprocessed form has a line for everything that is there.

    glibc marks functions that it has, but that only fail (gnu/stubs.h); for Autoconf they are
    missing.
    """
    headers = (_line(f"__has_include(<{name}>)", f'"header" "{name}"') for name in HEADERS)
    functions = (
        _line(f"!defined __stub_{name} && !defined __stub___{name}", f'"function" "{name}"')
        for name in FUNCTIONS
    )
    orders = (
        _line(
            f"__BYTE_ORDER__ == __ORDER_{order}_ENDIAN__", f'"answer" "ac_cv_c_bigendian" {value}'
        )
        for order, value in (("LITTLE", "no"), ("BIG", "yes"))
    )
    return "".join(("#include <limits.h>\n", *headers, *functions, *orders))


def _line(condition: str, text: str) -> str:
    return f"#if {condition}\nfound {text}\n#endif\n"


def _includes(headers: Iterable[str]) -> str:
    return "".join(f"#include <{name}>\n" for name in headers)


def _calls(functions: Iterable[str]) -> str:
    """Return a program that calls functions, declared as in Autoconf's own check."""
    declared = "".join(f"char {name} (void);\n" for name in functions)
    calls = "".join(f" + {name} ()" for name in functions)
    return f"{declared}int main (void) {{ return 0{calls}; }}\n"


def _uses() -> str:
    """Return a function that uses all types, in whose assembler text are the sizes of some.

    It also has what stands in COMPILER.
    """
    types = "".join(f"  {{ {name} *one = 0; (void) one; }}\n" for name in TYPES)
    sizes = "".join(
        f'  __asm__ volatile ("size %c0 \\"{name}\\"" : : "i" (sizeof ({name})));\n'
        for name in SIZED
    )
    return f"#ifndef __GNUC__\n#error\n#endif\n{_FUNCTION} {{\n{types}{sizes}}}\n"


_FUNCTION = "static inline int own (const volatile int *one) { return *one; }\nvoid use (void)"
