"""ccache in a sealed build: real compilations, and what must never be taken from its folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import cache_server
import pytest
from sandbox_parts import COMPILER, PREFIX

from quard.execute import compiled, drivers, sysroot
from quard.execute.launcher import Ccache
from quard.plan.plan import Plan
from quard.process.sandbox import Sandbox, Work
from quard.process.system import MACHINE
from quard.remote.compiled import CompiledFiles

TRIPLE = PREFIX.rstrip("-")
CCACHE = shutil.which("ccache") or "/usr/bin/ccache"
SOURCE = "#include <own.h>\nint value(void) { return OWN; }\n"
COMMAND = "-O2 -g -Ifirst -I. -c value.c"


class Build:
    """The build of a package; `said` is what the compiler printed."""

    def __init__(
        self,
        root: Path,
        cache: Path,
        tools: str = "one",
        storage: Callable[[str], Path] | None = None,
        **plan: object,
    ) -> None:
        self.plan = Plan(**{"name": "thing", "version": "1.0", "triple": TRIPLE, **plan})  # type: ignore[arg-type]
        self.work = Work(root)
        self.work.make()
        self.launcher = Ccache(
            words=(CCACHE,),
            shown=(),
            folder=cache,
            limit=1 << 30,
            identity=lambda _plan: tools,
            storage=storage,
        )
        bound = self.launcher.bound(self.plan)
        self.box = Sandbox(mode="bwrap", work=self.work, bound=bound)
        search = os.environ["PATH"]
        sysroot.tools(self.work, (), search, self.box.inside, MACHINE)
        drivers.write_drivers(self.work, COMPILER, self.plan, self.box.inside, self.launcher)
        self.said = b""

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.work.src / name).parent.mkdir(exist_ok=True)
            (self.work.src / name).write_text(text)

    def compile(self, command: str = COMMAND) -> str:
        """Run the compiler; return the hash of what it has made, "" if that failed."""
        log, made = self.work.root / "log", self.work.src / "value.o"
        made.unlink(missing_ok=True)
        env = {"PATH": f"{self.box.inside}/tools", "HOME": f"{self.box.inside}/home"}
        with log.open("wb") as file:
            words = ("sh", "-c", f"exec {TRIPLE}-gcc {command}")
            status = self.box.run(words, {**env, "LC_ALL": "C"}, file)
        self.said = log.read_bytes()
        assert (status == 0) == made.exists()
        return hashlib.sha256(made.read_bytes()).hexdigest() if made.exists() else ""

    @property
    def counts(self) -> tuple[int, int]:
        """Hits and misses so far."""
        log = self.work.home / ".ccache-log"
        found = Counter(log.read_text().split() if log.exists() else ())
        return found["preprocessed_cache_hit"], found["cache_miss"]


Start = Callable[..., Build]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return a function that starts builds with one cache folder."""
    number = 0

    def begin(**changed: object) -> Build:
        nonlocal number
        number += 1
        cache = tmp_path / str(changed.pop("cache", "cache"))
        build = Build(tmp_path / str(number), cache, **changed)  # type: ignore[arg-type]
        build.write({"value.c": SOURCE, "own.h": "#define OWN 1\n"})
        return build

    return begin


def without(build: Build) -> str:
    """Return what the compiler makes of the same files when nothing starts it."""
    drivers_folder = build.work.tools
    shutil.rmtree(drivers_folder)
    drivers_folder.mkdir()
    sysroot.tools(build.work, (), os.environ["PATH"], build.box.inside, MACHINE)
    drivers.write_drivers(build.work, COMPILER, build.plan, build.box.inside)
    return build.compile()


def test_an_equal_compilation_is_taken_from_the_folder(start: Start) -> None:
    first, second = start(), start()
    made = first.compile()
    assert (made != "", first.counts) == (True, (0, 1))
    assert second.compile() == made
    assert second.counts == (1, 0)
    assert second.launcher.note(second.work) == "ccache: 1 of 1 compilations were there"
    assert without(second) == made


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"own.h": "#define OWN 2\n"}, id="a header"),
        pytest.param({"first/own.h": "#define OWN 3\n"}, id="a new header that hides another"),
        pytest.param({"value.c": SOURCE.replace("OWN;", "OWN + 1;")}, id="the source"),
        pytest.param({"value.c": f"\n{SOURCE}"}, id="line numbers"),
        pytest.param({"value.c": SOURCE.replace(" return", "  return")}, id="columns"),
        pytest.param({"own.h": "/* x */ #define OWN 1\n"}, id="a comment"),
    ],
)
def test_changed_files_are_compiled_again(start: Start, change: Mapping[str, str]) -> None:
    start().compile()
    build = start()
    build.write(change)
    made = build.compile()
    assert build.counts == (0, 1)
    assert without(build) == made


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"tools": "two"}, id="the tools"),
        pytest.param({"hardening": ("stack_protector",)}, id="options in the spec file"),
        pytest.param({"hardening": ("pie",)}, id="other options in the spec file"),
        pytest.param({"version": "1.1"}, id="the version, which debug information has"),
    ],
)
def test_another_compiler_has_no_hits(start: Start, changed: Mapping[str, object]) -> None:
    start().compile()
    build = start(**changed)
    made = build.compile()
    assert build.counts == (0, 1)
    assert without(build) == made


def test_packages_do_not_share_compiled_files(start: Start, tmp_path: Path) -> None:
    """The build of one could put anything there, and the other would install it."""
    start().compile()
    other = start(name="other")
    other.compile()
    assert other.counts == (0, 1)
    assert [each.place for each in other.box.bound] == [tmp_path / "cache/other"]


@pytest.mark.parametrize("option", ["-g", "@options"])
def test_with_debug_information_each_file_counts_as_it_is(start: Start, option: str) -> None:
    """It has columns, which the preprocessor changes; without it, a comment changes nothing."""
    texts = (SOURCE, SOURCE.replace("return", "/* now */ return"))
    for command, hits in (("-O2 -I. -c value.c", 1), (f"-O2 {option} -I. -c value.c", 0)):
        made = []
        for text in texts:
            build = start()
            build.write({"value.c": text, "options": "-g"})
            made.append(build.compile(command))
        assert build.counts == (hits, 1 - hits)
        assert len({*made}) == 2 - hits


@pytest.mark.parametrize("text", ['.include \\"data.s\\"', '.incbin\\t\\"data.s\\"'])
def test_what_the_assembler_includes_is_seen(start: Start, text: str) -> None:
    """ccache itself notices `.incbin` only if a space follows."""
    made = []
    for number in (1, 2):
        build = start()
        build.write({"value.c": f'__asm__(".data\\n{text}\\n");\n'})
        build.write({"data.s": f".long {number}\n"})
        made.append(build.compile("-O2 -c value.c"))
        assert build.counts == (0, 0)
    assert made[0] != made[1]


@pytest.mark.parametrize("command", ["-c value.S", "-x assembler -c value.c"])
def test_assembler_source_is_always_assembled(start: Start, command: str) -> None:
    first, second = start(), start()
    name = command.rpartition(" ")[2]
    for build, number in ((first, 1), (second, 2)):
        build.write({name: '.include "data.s"\n', "data.s": f".data\n.long {number}\n"})
    assert first.compile(command) != second.compile(command)
    assert second.counts == (0, 0)


def test_what_the_compiler_says_arrives_once_and_its_failure_too(start: Start) -> None:
    build = start()
    build.write({"value.c": "int value(void) { return missing; }\n"})
    assert build.compile() == ""
    assert build.said.count(b"error: 'missing' undeclared") == 1
    build.write({"value.c": '#warning "look"\nint value;\n'})
    for _ in range(2):
        assert build.compile() != ""
        assert build.said.count(b"#warning") == 2  # the message, and the line that it shows
    assert build.counts == (1, 1)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm", [damage, lambda path: path.write_bytes(b""), lambda path: path.unlink()]
)
def test_a_damaged_folder_changes_no_result(
    start: Start, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    made = start().compile()
    # A result is named by its hash; beside it are files like "stats".
    (path,) = (path for path in (tmp_path / "cache").rglob("?" * 20 + "*") if path.is_file())
    path.chmod(0o644)
    harm(path)
    build = start()
    assert build.compile() == made
    assert build.counts == (0, 1)


def test_a_folder_that_cannot_be_used_changes_no_result(start: Start, tmp_path: Path) -> None:
    """ccache fails then, as it does on a full disk, and would end the build."""
    made = start().compile()
    folder = tmp_path / "cache/thing"
    shutil.rmtree(folder)
    folder.mkdir()
    for digit in "0123456789abcdef":
        (folder / digit).write_text("in the way")
    build = start()
    assert build.compile() == made
    build.write({"value.c": "int value(void) { return missing; }\n"})
    assert build.compile() == ""
    assert build.said.count(b"error: 'missing' undeclared") == 1


def test_a_launcher_that_crashes_or_cannot_start_changes_no_result(start: Start) -> None:
    made = start().compile()
    for text in ("kill -SEGV $$", "exit 127"):
        build = start()
        broken = build.work.files / "broken"
        broken.write_text(f"#!/bin/sh\n{text}\n")
        broken.chmod(0o755)
        driver = build.work.tools / f"{TRIPLE}-gcc"
        lines = driver.read_text()
        assert f" {CCACHE} " in lines
        driver.write_text(lines.replace(f" {CCACHE} ", " /quard/files/broken "))
        assert build.compile() == made


def test_machines_share_compiled_files_over_a_server(start: Start) -> None:
    """The builds see no network."""
    with cache_server.running() as state:
        said: list[str] = []
        files = CompiledFiles(f"{state.base}/c", said.append)
        made = start(storage=files.folder).compile()
        (path,) = state.files
        assert path.startswith("/c/thing/")
        other = start(cache="other", storage=files.folder)
        assert (other.compile(), other.counts) == (made, (1, 0))
        for harm in (b"", state.files[path][:-20], b"x" + state.files[path][1:], bytes(3000)):
            state.files[path] = harm
            build = start(cache=f"third {len(harm)} {harm[:1]!r}", storage=files.folder)
            assert (build.compile(), build.counts) == (made, (0, 1))
        files.close()
        build = start(
            cache="fourth", storage=CompiledFiles("http://127.0.0.1:1", said.append).folder
        )
        assert (build.compile(), build.counts) == (made, (0, 1))
        assert len(said) == 1


def test_least_recently_used_files_go_first(tmp_path: Path) -> None:
    for number, name in enumerate(("a/0/1/oldR", "b/0/1/midR", "a/0/1/newR", "a/0/stats")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (1000 + number, 1000 + number))
    dry = compiled.shrink(tmp_path, 150, 2000, dry=True)
    assert (dry.files, dry.freed, dry.left) == (2, 200, 100)
    assert (tmp_path / "a/0/1/oldR").exists()
    assert compiled.shrink(tmp_path, 150, 2000) == dry
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["newR", "stats"]
    assert compiled.shrink(tmp_path, 150, 2000 + 100 * 24 * 3600).left == 0


def test_a_folder_that_is_not_there_has_nothing_to_remove(tmp_path: Path) -> None:
    assert compiled.shrink(tmp_path / "none", 0, 0) == compiled.Removed(0, 0, 0)
