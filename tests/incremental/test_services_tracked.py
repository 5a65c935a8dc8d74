"""Start scripts and configuration files of packages: what a change of one makes again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incremental.project import Project, ok
from incremental.test_bad_input import refused

FIELDS = """\
services=[Service("webd", start=60, script="webd.init"), Service("log", 5, run=["/usr/bin/web"])],
configs=[Config("web.conf", "etc/web.conf", mode="0640")],
"""


@pytest.fixture
def web(project: Project) -> Project:
    """A program with a service that has a script, one without, and a configuration file."""
    project.program("web", "int main(void) { return 0; }\n", more=FIELDS)
    project.edit("packages/web/recipe.py", "import Install", "import Config, Install, Service")
    (project.folder / "packages/web/webd.init").write_text("#!/bin/sh\n")
    (project.folder / "packages/web/web.conf").write_text("port 80\n")
    (project.folder / "rootfs/usr/bin/sh").touch(mode=0o755)
    project.board(["libc", "web"])
    return project


def manifest(project: Project) -> dict[str, Any]:
    text = (project.folder / "out/tiny/images/manifest.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_changed_script_or_configuration_makes_the_image_and_builds_no_package(
    web: Project,
) -> None:
    ok(web.run())
    before = manifest(web)
    script, conf = before["/etc/init.d/S60webd"], before["/etc/web.conf"]
    assert (script["package"], script["mode"], conf["mode"]) == ("web", "0755", "0640")
    assert before["/etc/init.d/S05log"]["mode"] == "0755"
    web.edit("packages/web/webd.init", "/bin/sh\n", "/bin/sh\n:\n")
    web.edit("packages/web/web.conf", "80", "81")
    why = ok(web.run("why")).out
    assert "file /etc/init.d/S60webd of web changed" in why
    assert "file /etc/web.conf of web changed" in why
    assert ok(web.run()).built == []
    after = manifest(web)
    assert {path for path in before if before[path] != after[path]} == {
        "/etc/init.d/S60webd",
        "/etc/web.conf",
    }
    assert ok(web.run()).summary["images"] == []


def test_a_board_leaves_a_service_out_and_its_overlay_replaces_a_configuration(
    web: Project,
) -> None:
    web.board(["libc", "web"], more="[services]\nwebd = false")
    (web.folder / "rootfs/etc/web.conf").write_text("port 8080\n")
    ok(web.run())
    found = manifest(web)
    assert "/etc/init.d/S60webd" not in found
    assert found["/etc/web.conf"]["replaces"] == "web"
    said = ok(web.run("info", "web")).out
    assert "services: webd=off log=on\n" in said
    assert "replaced: /etc/web.conf (by rootfs)\n" in said


def test_a_service_that_is_misspelled_on_the_board_suggests_the_right_name(web: Project) -> None:
    web.board(["libc", "web"], more="[services]\nwbed = false")
    refused(web.run(), "unknown-service", "did you mean 'webd'?")


def test_a_script_that_the_guest_could_not_run_is_refused_before_anything_is_built(
    web: Project,
) -> None:
    (web.folder / "packages/web/webd.init").write_bytes(b"#!/bin/sh\r\n:\r\n")
    refused(web.run(), "line-ends", "/etc/init.d/S60webd of package web")
    assert not (web.folder / "out/tiny/units/web.json").exists()


def test_a_service_that_says_nothing_is_named_with_what_it_may_say(web: Project) -> None:
    web.edit("packages/web/recipe.py", ', script="webd.init"', "")
    refused(web.run(), "bad-service", "service webd: give either `script`", "packages/web")


def test_a_program_that_no_package_installs_is_named_with_its_service(web: Project) -> None:
    web.edit("packages/web/recipe.py", 'run=["/usr/bin/web"]', 'run=["/usr/bin/wbe"]')
    refused(web.run(), "service-program", "/usr/bin/wbe, which /etc/init.d/S05log of package web")


def test_a_user_that_the_image_does_not_have_is_refused_before_anything_is_built(
    web: Project,
) -> None:
    web.edit("packages/web/recipe.py", 'run=["/usr/bin/web"]', 'run=["/usr/bin/web"], user="wwe"')
    refused(web.run(), "unknown-user", "/etc/init.d/S05log of package web names the user 'wwe'")
    assert not (web.folder / "out/tiny/units/web.json").exists()
