"""A file beside a recipe whose placeholders are replaced when it is installed."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from incremental.project import Project, ok
from incremental.test_bad_input import refused

TEXT = "#\n# {name} of {prefix}\nx=${name}; echo {version} {{version}}\n"
STEP = 'Install(Template("hello.txt.in"), "usr/share/hello.txt")'


@pytest.fixture
def templated(greeting: Project) -> Project:
    """The project `greeting`, whose program `alone` has a file made from a template."""
    recipe = "packages/alone/recipe.py"
    greeting.edit(recipe, 'mode="0755"),)', f'mode="0755"), {STEP})')
    greeting.edit(recipe, "import Install", "import Template, Install")
    (greeting.folder / "packages/alone/hello.txt.in").write_text(TEXT)
    greeting.board(["alone", "libc"])
    return greeting


def installed(project: Project) -> str:
    """Return the text of the file in the image."""
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        member = tar.getmember("usr/share/hello.txt")
        assert member.mode == 0o644
        file = tar.extractfile(member)
        assert isinstance(file, io.BufferedReader)
        return file.read().decode()


@pytest.mark.parametrize("mode", ["bwrap", "none"])
def test_the_installed_file_has_the_values(templated: Project, mode: str) -> None:
    ok(templated.run(f"sandbox.mode={mode}"))
    wanted = "#\n# alone of /usr\nx=${name}; echo 1 {version}\n"
    assert installed(templated) == wanted
    again = ok(templated.run(f"sandbox.mode={mode}"))
    assert (again.built, again.summary["images"]) == ([], [])


def test_a_changed_template_and_a_changed_value_rebuild_the_package_alone(
    templated: Project,
) -> None:
    ok(templated.run())
    file = templated.folder / "packages/alone/hello.txt.in"
    file.write_text(f"{TEXT}# more\n")
    assert ok(templated.run()).built == ["alone"]
    assert installed(templated).endswith("# more\n")
    file.write_text(TEXT)
    assert ok(templated.run()).summary["restored"] == ["alone"]
    templated.edit("packages/alone/recipe.py", 'version="1"', 'version="1.0"')
    assert ok(templated.run()).built == ["alone"]
    assert "echo 1.0 {version}" in installed(templated)


def test_a_name_without_a_value_is_refused_before_anything_is_built(templated: Project) -> None:
    file = templated.folder / "packages/alone/hello.txt.in"
    file.write_text("#\necho {versions}\n")
    ran = templated.run()
    refused(
        ran, "unknown-placeholder", "packages/alone/hello.txt.in:2: unknown placeholder {versions}"
    )
    assert not (templated.folder / "out/tiny/logs/alone.log").exists()
    refused(templated.run("why"), "unknown-placeholder")
    file.write_text(TEXT)
    ok(templated.run())


def test_an_installation_that_failed_goes_on_with_the_corrected_template(
    templated: Project,
) -> None:
    failing = 'Install("absent", "usr/absent"),'
    templated.edit("packages/alone/recipe.py", STEP, f"{STEP}, {failing}")
    refused(templated.run(), "install-failed", "absent")
    file = templated.folder / "packages/alone/hello.txt.in"
    file.write_text(TEXT.replace("echo", "printf"))
    templated.edit("packages/alone/recipe.py", f", {failing}", "")
    ok(templated.run())
    assert "printf 1 {version}" in installed(templated)
    record = templated.folder / "out/tiny/units/alone.json"
    assert json.loads(record.read_text())["parts"]["programs"]
