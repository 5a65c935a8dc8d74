"""Parts of the benchmark on a small project, its command line, and its tables."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pinned_tools
import pytest
from casd import needs_casd

import bench.__main__ as command
import checkout
from bench import clean, clones, edits, facts, table, workers
from bench.parts import DEFAULT, PARTS
from bench.subject import Subject
from incremental.project import Project
from quard.base import canonical
from quard.base.files import file_sha256

AFFINITY = os.sched_getaffinity(0)
CODE = "#include <greet.h>\nint main(void) { return greet(); }\n"
TESTS = ("tests", "tests/support", "site_scons")


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A small project that has been built once."""
    folder = tmp_path_factory.mktemp("parts")
    project = Project(folder / "project")
    project.library("greet", "int greet(void) { return 1; }\n", "int greet(void);\n")
    project.program("hello", CODE, "-lgreet", more='needs=("greet",),')
    project.board(["hello", "libc"], formats='"squashfs"')
    for path in project.sources.glob("*.tar.xz"):
        place = folder / "fetched" / file_sha256(path)
        place.mkdir(parents=True)
        (place / path.name).symlink_to(path)
    done = project.run()
    assert done.status == 0, done.text
    given = ("tools.root=machine",)
    return Subject(project.folder, "tiny", folder / "fetched", str(project.cache), given)


def test_a_clean_build_and_the_script_are_measured_in_turn(subject: Subject) -> None:
    found = clean.clean(subject, 1)
    assert found["packages"] == 3
    for who in ("engine", "shell"):
        assert found[who]["seconds"] > 0 and found[who]["cpu_seconds"] > 0
    ratio = found["engine"]["seconds"] / found["shell"]["seconds"]
    assert found["of_shell_seconds"] == pytest.approx(ratio, abs=0.02)
    assert (subject.project / found["script"]).is_file()


def test_an_edit_is_measured_beside_null_builds(subject: Subject) -> None:
    found = edits.overlay(subject, 2)
    assert found["images"] == ["rootfs.squashfs", "rootfs.tar"]
    assert found["edit"]["median_seconds"] > 0 and found["null"]["median_seconds"] > 0
    assert not (subject.project / "rootfs/etc/issue").exists(), "only a copy is edited"


def test_a_clones_board_has_the_optional_features_of_the_last_build(tmp_path: Path) -> None:
    project, clone = tmp_path / "project", tmp_path / "clone"
    rows = [
        {"package": package, "feature": feature, "on": on, "missing": []}
        | {"tried": [], "supply": [], "places": ""}
        for package, feature, on in (("a", "x", False), ("b", "y", True))
    ]
    path = project / "out/tiny/availability.json"
    path.parent.mkdir(parents=True)
    path.write_text(canonical.sealed({"decisions": rows}))
    board = clone / "configs/tiny.toml"
    board.parent.mkdir(parents=True)
    board.write_text('a.x = "if-available"\nb.y = "if-available"\nc.z = "if-available"\n')
    Subject(project, "tiny", tmp_path).settle(clone)
    assert board.read_text() == 'a.x = false\nb.y = true\nc.z = "if-available"\n'


def test_clones_restore_from_each_kind_of_cache(subject: Subject) -> None:
    found = clones.clones(subject, 1)
    assert {"local_store", "nginx"} <= found.keys()
    assert found["nginx"]["needed_mib"] >= 0
    assert 0.5 < found["nginx"]["of_needed"] < 5
    assert "bootstrap" not in found, "only this checkout has one"


@pytest.fixture
def sealed(subject: Subject, tmp_path: Path) -> Subject:
    """The same project where it may use workers: with pinned tools."""
    shutil.copytree(subject.project, tmp_path / "project", symlinks=True)
    shutil.copytree(subject.cache, tmp_path / "cache", symlinks=True)
    found = replace(
        subject,
        project=tmp_path / "project",
        cache=str(tmp_path / "cache"),
        given=pinned_tools.WORDS,
    )
    pinned_tools.offer(found.project, Path(found.cache))
    return found


@needs_casd
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two workers need two processors")
def test_packages_are_built_here_and_by_workers_in_turn(sealed: Subject) -> None:
    found = workers.workers(sealed, ("hello", "greet"), 1)
    for name in ("hello", "greet"):
        row = found[name]
        more = row["one_worker"]["median_seconds"] - row["local"]["median_seconds"]
        assert row["beyond_local_seconds"] == pytest.approx(more, abs=0.01)
    together = found["all"]
    one, two = (together[name]["median_seconds"] for name in ("one_worker", "two_workers"))
    assert together["two_of_one"] == pytest.approx(two / one, abs=0.01)
    assert 0.5 <= together["longest_share"] < 1, "of two packages"
    assert found["first"]["server_mib"] > 100, "with the tools"
    assert os.sched_getaffinity(0) == AFFINITY


@needs_casd
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two workers need two processors")
def test_a_package_that_the_worker_did_not_build_ends_the_benchmark(sealed: Subject) -> None:
    with pytest.raises(SystemExit, match="libc was built by this machine"):
        workers.workers(sealed, ("libc",), 1)


def test_a_part_that_builds_what_it_must_not_ends_the_benchmark(subject: Subject) -> None:
    with pytest.raises(SystemExit, match="0 packages were built, not 1"):
        subject.build(subject.project)
        subject.require(subject.project, built=1)


RESULTS: dict[str, Any] = {
    "edit": {
        "images": ["a", "b"],
        "edit": {"seconds": 0.5, "median_seconds": 0.6, "cpu_seconds": 0.9},
        "null": {"seconds": 0.1, "cpu_seconds": 0.1},
    },
    "scale": [{"packages": 10, "null_build": {"seconds": 1.0}}, {"packages": 100}],
}


def test_a_table_has_a_row_for_each_measured_thing() -> None:
    assert list(table.rows(RESULTS)) == [
        ("edit", "", "", "images a b"),
        ("edit edit", "0.6", "0.9", ""),
        ("edit null", "0.1", "0.1", ""),
        ("scale 10", "", "", "packages 10"),
        ("scale 10 null_build", "1.0", "", ""),
        ("scale 100", "", "", "packages 100"),
    ]
    lines = table.text(RESULTS).splitlines()
    assert lines[0].split() == ["what", "seconds", "CPU", "seconds", "more"]
    assert len(lines) == 7


def test_a_section_of_the_page_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- bench one -->\nold\n<!-- end -->\nb\n<!-- bench two -->\n<!-- end -->\n"
    )
    table.write(page, "one", "new \\1\n")
    assert page.read_text() == (
        "a\n<!-- bench one -->\nnew \\1\n<!-- end -->\nb\n<!-- bench two -->\n<!-- end -->\n"
    )
    with pytest.raises(SystemExit, match="no section for three"):
        table.write(page, "three", "x")


def test_a_section_names_the_machine_but_not_the_host() -> None:
    text = table.section(RESULTS["edit"], facts.facts())
    version = os.uname().release.partition("-")[0]
    assert f"{len(os.sched_getaffinity(0))} x " in text and f"Linux {version}," in text
    assert os.uname().nodename not in text.split()


def test_the_page_has_a_section_for_each_part_that_it_shows() -> None:
    text = (checkout.TOP / "docs/benchmarks.md").read_text()
    named = {line.split()[2] for line in text.splitlines() if line.startswith("<!-- bench ")}
    assert named <= PARTS.keys()
    assert {"clean", "overlay", "openssl", "kernel", "clones", "scale", "null"} <= named


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("", DEFAULT),
        ("overlay clones", ("overlay", "clones")),
        ("clones overlay", ("overlay", "clones")),
        ("--boots", ("boots",)),
        ("--scale 10,100", ("scale",)),
        ("--cold", (*DEFAULT, "cold")),
        ("null --changes", ("null", "changes")),
    ],
)
def test_parts_are_chosen_by_name_or_by_an_option(words: str, parts: tuple[str, ...]) -> None:
    assert command._parts(command._options(words.split())) == parts


@pytest.mark.parametrize("words", ["nothing", "--runs 0", "--scale x"])
def test_wrong_words_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command._options(words.split())
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def bench(*words: str) -> tuple[list[str], dict[str, str]]:
    places = os.pathsep.join(str(checkout.TOP / name) for name in TESTS)
    return [sys.executable, "-m", "bench", *words], {**os.environ, "PYTHONPATH": places}


def test_help_lists_every_part() -> None:
    argv, env = bench("--help")
    text = subprocess.run(argv, env=env, stdout=-1, text=True, check=True).stdout
    assert all(f"  {name} " in text for name in PARTS)


def test_the_last_line_is_json() -> None:
    argv, env = bench("scale", "--packages", "5", "--runs", "1")
    done = subprocess.run(argv, env=env, stdout=-1, text=True, check=True, cwd=checkout.TOP)
    found = json.loads(done.stdout.splitlines()[-1])
    [row] = found["scale"]
    assert row["packages"] == 5 and row["restored"]["packages_a_second"] > 0
    assert found["machine"]["processors"] == found["processors"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    argv, env = bench("scale", "--packages", "40")
    env = {**env, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(argv, env=env, stdout=-1, stderr=-1, start_new_session=True) as process:
        end = time.monotonic() + 120
        while not list(tmp_path.glob("quardroot-bench-*/project/out/tiny/logs/*")):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        # A terminal sends Ctrl-C to all, a service its signal to the process that it knows.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        process.communicate(timeout=120)
        assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
