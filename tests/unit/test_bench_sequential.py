"""The shell script that a clean build is compared with does what the plans say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.sequential import Sequential, _word
from incremental.project import Project
from quard.base.files import file_sha256
from quard.plan.plan import WriteStep

CODE = "#include <greet.h>\nint main(void) { return greet(); }\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    made.library("greet", "int greet(void) { return 1; }\n", "int greet(void);\n")
    made.program("hello", CODE, "-lgreet", more='needs=("greet",),')
    made.board(["hello", "libc"])
    return made


def sequential(project: Project, *, sources: bool = True) -> Sequential:
    folder = project.folder.parent
    for path in project.sources.glob("*.tar.xz" if sources else "none"):
        place = folder / "fetched" / file_sha256(path)
        place.mkdir(parents=True)
        (place / path.name).symlink_to(path)
    return Sequential(
        project.folder,
        "tiny",
        folder / "script",
        work=folder / "work",
        sources=folder / "fetched",
        jobs=2,
    )


def run(made: Sequential) -> subprocess.CompletedProcess[str]:
    return subprocess.run(made.command, capture_output=True, text=True, check=False)


def test_it_builds_each_package_with_those_before_it(project: Project) -> None:
    made = sequential(project)
    done = run(made)
    assert done.returncode == 0, done.stdout + done.stderr
    names = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("== ")]
    assert names == [plan.name for plan in made.plans]
    assert names.index("greet") < names.index("hello")
    work = project.folder.parent / "work"
    program = work / "hello/stage/usr/bin/hello"
    dynamic = subprocess.run(("readelf", "-dW", program), stdout=-1, text=True, check=True).stdout
    assert "[libgreet.so.1]" in dynamic
    assert "BIND_NOW" in dynamic, "the board's hardening is in the drivers"
    assert (work / "libc/stage/usr/lib/libc.so.6").is_file()
    assert (work / "sysroot/usr/include/greet.h").is_file()


def test_it_is_a_script_that_people_can_read(project: Project) -> None:
    made = sequential(project)
    text = made.script.read_text()
    sha256 = file_sha256(project.sources / "greet-1.tar.xz")
    assert f'tar -xf "$sources"/{sha256}/greet-1.tar.xz --strip-components=1' in text
    assert "make -j2 " in text
    assert str(project.folder) not in text
    for argv in (("shellcheck", "--exclude=SC2034", made.script), ("dash", "-n", made.script)):
        subprocess.run(argv, check=True)


def test_a_file_is_written_with_the_folders_of_the_script(project: Project) -> None:
    (line,) = sequential(project)._step(WriteStep("configure", "a b", 'set("{sysroot}" $x)\n\n'))
    script = f"work=/w\n{line}\ncat 'a b'"
    shown = subprocess.run(("sh", "-c", script), cwd=project.folder, stdout=-1, check=True).stdout
    assert shown == b'set("/w/sysroot" $x)\n\n'


def test_a_command_that_fails_ends_it(project: Project) -> None:
    project.program("hello", "no C at all\n", "-lgreet", more='needs=("greet",),')
    done = run(sequential(project))
    assert done.returncode != 0
    assert "no C at all" in done.stderr


def test_a_source_that_is_not_there_is_named(project: Project) -> None:
    with pytest.raises(SystemExit, match="the source of greet is not in"):
        sequential(project, sources=False)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("plain", "plain"),
        ("two words", "'two words'"),
        ("$HOME", "'$HOME'"),
        ("A={stage}/x y", '"A=${stage}/x y"'),
        ('{src}/`a` $b "c" \\', '"${src}/\\`a\\` \\$b \\"c\\" \\\\"'),
        ("{files}{sysroot}", '"${files}$work/sysroot"'),
        ("{other}", "'{other}'"),
    ],
)
def test_words_are_quoted_but_for_the_folders(text: str, word: str) -> None:
    assert _word(text) == word
