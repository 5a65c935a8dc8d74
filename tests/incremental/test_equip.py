"""The engine starts ./scons again where that has prepared the machine for other tools."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from incremental.project import Project

SCRIPT = """\
#!/bin/sh
[ ! -e '{out}/lock' ] || flock -n '{out}/lock' true || echo the lock is held
printf '<%s>' "$QUARDROOT_TOOLS$QUARDROOT_EXTRAS" "$@"
exit 7
"""


@pytest.fixture
def started(project: Project) -> Project:
    """A project without pinned tools: builds use the machine's own. Its ./scons says how it was
    started."""
    script = project.folder / "scons"
    script.write_text(SCRIPT.format(out=project.folder / "out"))
    script.chmod(0o755)
    return project


@pytest.mark.parametrize("words", [("libc",), ("-n", "libc"), ("why",), ("images", "-j2")])
def test_a_machine_that_is_not_prepared_for_its_own_tools_is_prepared(
    started: Project, words: tuple[str, ...]
) -> None:
    ran = started.run(*words, env={"QUARDROOT_TOOLS": "pinned"})
    given = started.command(*words)
    rest = given[given.index("-Q") + 1 :]
    assert (ran.status, ran.err) == (7, "")
    assert ran.out == "".join(f"<{word}>" for word in ("machine", *rest))


@pytest.mark.parametrize("prepared", ["machine", ""])
def test_a_machine_is_not_prepared_twice(started: Project, prepared: str) -> None:
    ran = started.run("libc", env={"QUARDROOT_TOOLS": prepared})
    assert ran.status == 0, ran.text


def test_a_question_about_no_tools_and_a_run_for_sources_do_not_start_it(started: Project) -> None:
    for words in (("list",), ("source",)):
        ran = started.run(*words, env={"QUARDROOT_TOOLS": "pinned"})
        assert ran.status == 0, ran.text


def test_plain_scons_says_what_to_start_where_the_compiler_is_missing(
    started: Project, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "env", "true", "bwrap"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    ran = started.run("libc", env={"QUARDROOT_TOOLS": "", "PATH": str(tmp_path / "bin")})
    assert ran.status == 2
    assert "reason: compiler-missing" in ran.err and "./scons" in ran.err.rpartition("hint:")[2]


def need(project: Project, *modules: str) -> None:
    """Have settings need modules that do not exist instead of these."""
    equip = project.own_engine() / "site_tools/quardroot/equip.py"
    text = equip.read_text()
    for module in modules:
        text = text.replace(f'"{module}"', '"no_such_module"')
    equip.write_text(text)


def test_packages_of_several_settings_are_installed_together(started: Project) -> None:
    need(started, "botocore", "grpc")
    bucket = ("cache.url=http://127.0.0.1:1", "cache.s3_region=eu-1")
    workers = ("remote.execute=yes", "remote.url=grpc://127.0.0.1:1")
    ran = started.run("libc", *bucket, *workers, env={"QUARDROOT_TOOLS": "machine"})
    assert ran.status == 7 and "<machines3 remote><" in ran.out, ran.text


@pytest.mark.parametrize(
    ("extra", "module", "words"),
    [
        ("s3", "botocore", ("cache.url=http://127.0.0.1:1", "cache.s3_region=eu-1")),
        ("remote", "grpc", ("cache.url=grpc://127.0.0.1:1",)),
    ],
)
def test_packages_of_a_setting_are_installed_once(
    started: Project, extra: str, module: str, words: tuple[str, ...]
) -> None:
    """With one that no lock file brings."""
    need(started, module)
    for goal in (("libc",), ("-n", "libc"), ("why",)):
        ran = started.run(*goal, *words, env={"QUARDROOT_TOOLS": "machine"})
        assert ran.status == 7 and f"<machine{extra}><" in ran.out, ran.text
    for env in (
        {"QUARDROOT_TOOLS": "machine", "QUARDROOT_EXTRAS": f"test {extra}"},
        {"QUARDROOT_TOOLS": ""},
    ):
        ran = started.run("libc", *words, env=env)
        assert ran.status == 2 and "reason: python-packages" in ran.err, ran.text
    for goal in (("libc", "sources.offline=true"), ("list",)):
        assert started.run(*goal, *words, env={"QUARDROOT_TOOLS": "machine"}).status == 0
