"""What begins when: the longest chain first, no more processes than jobs, none after an error."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from waiting import within

from incremental.project import Project
from incremental.test_modes import start
from quard.ledger import durations

CODE = "int main(void) { return 0; }\n"
RULES = """\
one = @echo begin $$(date +%s%N); sleep 0.1; $(CC) -c -o $@ $<; echo end $$(date +%s%N)
NAME: a.o b.o c.o d.o e.o f.o NAME.c
\t$(CC) -o $@ NAME.c
%.o: %.c
\t$(one)
"""
NINJA = """\
rule one
  command = echo begin $$(date +%s%N); sleep 0.1; touch $out; echo end $$(date +%s%N)
"""
"""Its makefile; eight jobs are added."""
CUSTOM = """\
from quard.model import Custom, Install, Run, Source
RECIPE = Custom(
    summary="a program whose parts ninja makes",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    tools=("ninja",),
    build=(Run("ninja"), Run("{{cross}}gcc", "-o", "{name}", "{name}.c")),
    install=(Install("{name}", "usr/bin/{name}", mode="0755"),),
)
"""


def program(project: Project, name: str, command: str = "true", more: str = "") -> None:
    """Add a program whose build runs a command."""
    project.program(name, CODE, more=more)
    makefile = f"{name}: {name}.c\n\t{command}\n\t$(CC) -o $@ {name}.c\n"
    replace(project, name, {"Makefile": makefile, f"{name}.c": CODE})


HELD = "until test -e go; do sleep 0.02; done"
"""A command of a build that ends when the test says so, see `release`."""


def is_begun(project: Project, name: str) -> bool:
    return (project.folder / f"out/tiny/work/{name}/src/Makefile").exists()


def release(project: Project, *names: str) -> None:
    """Wait until one of these builds has begun, and let it go on; so until all have."""
    left = set(names)
    while left:
        assert within(60, lambda: any(is_begun(project, name) for name in left)), left
        for name in sorted(left):
            if is_begun(project, name):
                (project.folder / f"out/tiny/work/{name}/src/go").touch()
                left.remove(name)


def run_on(project: Project, run: subprocess.Popen[str], names: list[str]) -> str:
    """Let all builds go on until a run has ended; return what it prints from now on."""

    def has_ended() -> bool:
        for name in filter(partial(is_begun, project), names):
            with suppress(FileNotFoundError):  # after its end
                (project.folder / f"out/tiny/work/{name}/src/go").touch()
        return run.poll() is not None

    assert within(120, has_ended)
    assert run.stdout
    return run.stdout.read()


def read_until(run: subprocess.Popen[str], line: str) -> str:
    """Return what a run prints up to a line."""
    assert run.stdout
    lines = []
    while line not in lines:
        lines.append(run.stdout.readline())
        assert lines[-1], "".join(lines)
    return "".join(lines)


def summary(project: Project) -> Any:
    return json.loads((project.folder / "out/tiny/summary.json").read_text())


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start SCons, and end it if the test fails before it has ended."""
    run = start(project, *arguments)
    try:
        yield run
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()


def replace(project: Project, name: str, files: dict[str, str]) -> None:
    """Give a package another source."""
    _, sha256 = project.archive(name, "1", files)
    recipe = project.recipe(name)
    recipe.write_text(re.sub(r'sha256="\w{64}"', f'sha256="{sha256}"', recipe.read_text()))


def begun(text: str) -> list[str]:
    """Return the packages of a run's output in the order in which their builds began."""
    return [name for name in re.findall(r"^(\S+) \S+: building$", text, re.M) if name != "libc"]


def test_the_longest_remaining_chain_begins_first(project: Project) -> None:
    """Also if its next package becomes ready while others have waited for long."""
    names = ("a-short", "b-late", "c-first", "d-mid", "e-long")
    for name in names:
        more = 'needs=("c-first",),' if name == "b-late" else ""
        program(project, name, HELD, more)
    project.board([*names, "libc"])
    seconds = {"a-short": 1.0, "b-late": 40.0, "c-first": 2.0, "d-mid": 20.0, "e-long": 60.0}
    steps = {name: {"unpack": taken} for name, taken in seconds.items()}
    durations.keep(project.cache / "store" / durations.FILE, 2, steps)
    assert project.run("libc").status == 0
    with started(project, "-j2") as run:
        release(project, "c-first")
        release(project, "b-late", "d-mid", "a-short")
        release(project, "e-long")
        text, _ = run.communicate(timeout=60)
    assert run.returncode == 0, text
    order = begun(text)
    assert set(order[:2]) == {"e-long", "c-first"}
    assert order[-1] == "a-short"
    assert order.index("b-late") < order.index("a-short")


def test_times_are_kept_beside_the_store_for_other_checkouts(greeting: Project) -> None:
    assert greeting.run("-j2").status == 0
    known = durations.latest(greeting.cache / "store" / durations.FILE, 2)
    assert {"alone", "greet", "hello", "libc"} == set(known)
    records = (greeting.cache / "store/ac").rglob("*")
    assert not any(b"seconds" in path.read_bytes() for path in records if path.is_file())


@pytest.mark.parametrize("jobs", [2, 3])
def test_all_packages_together_run_no_more_processes_than_jobs(project: Project, jobs: int) -> None:
    names = ["one", "two", "three", "four"]
    for name in names:
        project.program(name, CODE)
        parts = {f"{part}.c": f"int {part};\n" for part in "abcdef"}
        files = {"Makefile": RULES.replace("NAME", name), f"{name}.c": CODE, **parts}
        replace(project, name, files)
    ninja(project, "five")
    project.board([*names, "five", "libc"])
    ran = project.run(f"-j{jobs}")
    assert ran.status == 0, ran.text
    logs = [project.folder / f"out/tiny/logs/{name}.log" for name in (*names, "five")]
    assert at_once(logs) == (24 + 8, jobs)
    assert 0 <= ran.summary["idle"] < 1
    trace = json.loads((project.folder / "out/tiny/timeline.json").read_text())["traceEvents"]
    rows = {event["tid"] for event in trace if event["ph"] == "X" and event["pid"] == 1}
    assert rows == {*range(1, jobs + 1)}
    assert re.search(r" s, \d+\.\d % idle$", ran.out, re.M)


def test_ninja_alone_has_all_jobs_and_no_more(project: Project) -> None:
    """By default it starts more processes than there are processors."""
    ninja(project, "five")
    project.board(["five", "libc"])
    assert project.run("libc").status == 0
    assert project.run("-j4").status == 0
    assert at_once([project.folder / "out/tiny/logs/five.log"]) == (8, 4)


def ninja(project: Project, name: str) -> None:
    """Add a package whose build calls ninja."""
    jobs = "".join(f"build part{number}: one\n" for number in range(8))
    files = {"build.ninja": NINJA + jobs, f"{name}.c": CODE}
    url, sha256 = project.archive(name, "1", files)
    project.recipe(name).parent.mkdir()
    project.recipe(name).write_text(CUSTOM.format(url=url, sha256=sha256, name=name))


def at_once(logs: list[Path]) -> tuple[int, int]:
    """Return how many jobs ran in all and how many at once at most, from stamps in logs."""
    text = "".join(log.read_text() for log in logs)
    events = sorted(
        (int(stamp), 1 if kind == "begin" else -1)
        for kind, stamp in re.findall(r"^(begin|end) (\d+)$", text, re.M)
    )
    running = most = total = 0
    for _, change in events:
        running += change
        total += change > 0
        most = max(most, running)
    return total, most


def test_a_source_is_fetched_while_others_compile(project: Project) -> None:
    for name in ("a", "b", "c"):
        program(project, name, HELD)
    project.board(["a", "b", "c", "libc"])
    assert project.run("libc").status == 0
    with started(project, "-j2") as run:
        assert within(60, lambda: all(project.cached(f"{name}-1.tar.xz") for name in "abc"))
        assert sum(is_begun(project, name) for name in "abc") <= 2
        release(project, "a", "b", "c")
        text, _ = run.communicate(timeout=60)
    assert run.returncode == 0, text
    fetched = [text.index(f"{name}: fetching ") for name in "abc"]
    assert max(fetched) < min(text.index(f"{name} 1: built in") for name in "abc"), text


def test_after_a_failure_nothing_begins_and_only_the_failure_is_reported(project: Project) -> None:
    names = [f"p{number}" for number in range(8)]
    for name in names:
        program(project, name, f"{HELD}; false" if name == "p3" else HELD)
    project.board([*names, "libc"])
    steps = {"p3": {"unpack": 90.0}, **{name: {"unpack": 5.0} for name in names if name != "p3"}}
    durations.keep(project.cache / "store" / durations.FILE, 2, steps)
    assert project.run("libc").status == 0
    with started(project, "-j2") as run:
        assert within(60, lambda: sum(is_begun(project, name) for name in names) == 2)
        release(project, "p3")
        text = read_until(run, "reason: build-failed\n") + run_on(project, run, names)
    found = summary(project)
    assert run.returncode == 2
    assert found["failed"] == ["p3"]
    assert found["unfinished"] == []
    assert text.count("scons: ***") == 1, text
    assert text.count("error: ") == 1
    assert len(begun(text)) == 2, text
    with started(project, "-j2", "-k") as run:
        run_on(project, run, names)
    kept = summary(project)
    assert kept["failed"] == ["p3"]
    made = [each["name"] for each in (*found["built"], *kept["built"])]
    assert {*made, *kept["restored"]} == {*names} - {"p3"}
    program(project, "p3")
    last = project.run("-j2")
    assert (last.status, last.built) == (0, ["p3"]), last.text
    assert project.run("-j2").summary["built"] == []


def test_an_interrupt_ends_what_waits_without_a_word(project: Project) -> None:
    names = [f"p{number}" for number in range(8)]
    for name in names:
        program(project, name, "sleep 30")
    project.board([*names, "libc"])
    assert project.run("libc").status == 0
    run = start(project, "-j2")
    work = project.folder / "out/tiny/work"
    assert within(60, lambda: len([*work.glob("p*/src/Makefile")]) == 2)
    os.killpg(run.pid, signal.SIGINT)
    text, _ = run.communicate(timeout=25)
    assert run.returncode == 2
    assert text.count("interrupted") <= 2 + 1, text  # the two that were built, and the last line
    assert project.run("-q").status != 0
    for name in names:
        program(project, name)
    ran = project.run("-j2")
    assert sorted(ran.built) == names, ran.text


@pytest.mark.parametrize("jobs", [1, 2])
def test_further_interrupts_while_a_run_ends_show_no_traceback(project: Project, jobs: int) -> None:
    for name in ("a", "b"):
        program(project, name, "sleep 30")
    project.board(["a", "b", "libc"])
    assert project.run("libc").status == 0
    run = start(project, f"-j{jobs}")
    work = project.folder / "out/tiny/work"
    assert within(60, lambda: len([*work.glob("[ab]/src/Makefile")]) == jobs)

    def has_ended() -> bool:
        os.killpg(run.pid, signal.SIGINT)
        return run.poll() is not None

    assert within(20, has_ended)
    text, _ = run.communicate(timeout=20)
    assert "Traceback" not in text and "KeyboardInterrupt" not in text, text
    assert "tiny: interrupted in " in text
    assert json.loads((project.folder / "out/tiny/summary.json").read_text())["interrupted"]


def sent_to_another_thread(run: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a thread of a build that is not its main thread."""
    tasks = [int(name) for name in os.listdir(f"/proc/{run.pid}/task")]
    other = next(thread for thread in tasks if thread != run.pid)
    assert ctypes.CDLL(None).tgkill(run.pid, other, number) == 0


def test_a_signal_that_another_thread_receives_suspends_or_ends_the_build(project: Project) -> None:
    """The kernel may choose any; SCons' main thread waits for the others, and is not woken."""
    program(project, "slow", "sleep 90")
    project.board(["slow", "libc"])
    assert project.run("libc").status == 0
    run = start(project, "-j2")
    assert within(60, (project.folder / "out/tiny/work/slow/src/Makefile").exists)
    for _ in range(2):
        sent_to_another_thread(run, signal.SIGTSTP)
        _, status = os.waitpid(run.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        run.send_signal(signal.SIGCONT)
    sent_to_another_thread(run, signal.SIGINT)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2, text
    assert "slow 1: built" not in text


def test_make_installs_with_one_job(project: Project) -> None:
    """What is installed may follow from the order: here one rule lists what others have added."""
    project.program("ordered", CODE, more='install=("DESTDIR={stage}", "install"),')
    rules = (
        "ordered: ordered.c\n\t$(CC) -o $@ ordered.c\n"
        "install: list other\n"
        "list:\n\tsleep 1; mkdir -p $(DESTDIR)/usr; ls $(DESTDIR)/usr >list\n"
        "\tcp list $(DESTDIR)/usr/list\n"
        "other:\n\tmkdir -p $(DESTDIR)/usr/other; cp ordered.c $(DESTDIR)/usr/other\n"
    )
    replace(project, "ordered", {"Makefile": rules, "ordered.c": CODE})
    project.board(["ordered", "libc"])
    assert project.run("-j3").status == 0
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        installed = tar.extractfile("usr/list")
        assert installed and installed.read() == b""
