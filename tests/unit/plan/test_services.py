"""Files that recipes put into images: which, from where, and for which root."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
from recipe_parts import add

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.root import Root
from quard.boards.trees import Trees
from quard.model import Service
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.services import script
from quard.recipes.catalog import Catalog

FIELDS = {
    "services": '[Service("webd", 60, script="webd.init"), Service("log", 5, run=["/bin/l"])]',
    "configs": '[Config("web.conf", "etc/web.conf", mode="0640")]',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with two services and a configuration file, and one that needs its libraries."""
    folder = add(tmp_path / "packages", "web", **FIELDS)
    (folder / "webd.init").write_text("#!/bin/sh\n")
    (folder / "web.conf").write_text("port 80\n")
    (folder / "notes").write_text("for the build\n")
    add(tmp_path / "packages", "user", needs='["web"]')
    (tmp_path / "configs").mkdir()
    write(tmp_path)
    return tmp_path


def write(project: Path, more: str = "", packages: str = '["web"]') -> None:
    text = 'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\n'
    (project / "configs/one.toml").write_text(f"{text}packages = {packages}\n{more}")


def resolve(project: Path, root: str = "", **changes: Any) -> Resolved:
    chosen = board.load(Trees(project), "one")
    found: Root = {each.name: each for each in (chosen.own, *chosen.roots)}[root]
    found = dataclasses.replace(found, **changes)
    fragments = Fragments(Trees(project), found.configuration)
    return Resolver(found, Catalog(project / "packages"), fragments).resolve({}, {})


def paths(resolved: Resolved) -> list[str]:
    return [each.path for each in resolved.placed]


def test_services_and_configuration_come_with_the_package_and_are_no_part_of_its_plan(
    project: Path,
) -> None:
    found = resolve(project)
    rows = {path: (mode, sha) for _, path, mode, sha in (each.row for each in found.placed)}
    assert rows == {
        "etc/init.d/S05log": ("0755", rows["etc/init.d/S05log"][1]),
        "etc/init.d/S60webd": ("0755", hashlib.sha256(b"#!/bin/sh\n").hexdigest()),
        "etc/web.conf": ("0640", hashlib.sha256(b"port 80\n").hexdigest()),
    }
    assert [file.name for file in found.plans["web"].files] == ["notes"]
    (project / "packages/web/webd.init").write_text("#!/bin/sh\n:\n")
    again = resolve(project)
    assert again.plans["web"].identity == found.plans["web"].identity
    assert [each.row for each in again.placed] != [each.row for each in found.placed]


def test_a_package_of_which_the_image_has_only_libraries_starts_nothing(project: Path) -> None:
    write(project, packages='["user"]')
    assert paths(resolve(project)) == []


def test_a_board_can_leave_a_service_out(project: Path) -> None:
    write(project, "services.webd = false\n")
    assert paths(resolve(project)) == ["etc/init.d/S05log", "etc/web.conf"]


def test_a_named_root_has_the_services_that_it_names(project: Path) -> None:
    write(project, 'services.webd = false\n[roots.early]\npackages = ["web"]\n')
    assert paths(resolve(project, "early")) == ["etc/web.conf"]
    write(project, '[roots.early]\npackages = ["web"]\nservices.log = true\n')
    assert paths(resolve(project, "early")) == ["etc/init.d/S05log", "etc/web.conf"]


def test_a_service_that_no_package_has_is_refused_with_the_nearest_one(project: Path) -> None:
    write(project, "services.web = false\n")
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "unknown-service"
    assert caught.value.detail == "known: log, webd"
    assert "did you mean 'webd'?" in caught.value.hint


def test_two_packages_with_one_service_exclude_each_other(project: Path) -> None:
    add(project / "packages", "other", services='[Service("webd", 61, run=["/bin/w"])]')
    write(project, packages='["other", "web"]')
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "packages-conflict"
    assert caught.value.detail == "other and web: both have the service webd"


def test_a_missing_file_is_an_error_of_the_recipe(project: Path) -> None:
    (project / "packages/web/web.conf").unlink()
    with pytest.raises(QuardError) as caught:
        resolve(project)
    assert caught.value.reason == "missing-file"


def test_the_written_script_quotes_what_the_shell_would_split() -> None:
    text = script("thing", Service("thing", 70, run=("/usr/bin/a b", "it's $HOME"), user="web"))
    assert r"daemon_user=web start_logged 'a b' '/usr/bin/a b' 'it'\''s $HOME'" in text


def test_the_written_script_names_a_process_as_the_kernel_does() -> None:
    text = script("thing", Service("thing", 70, run=("/usr/bin/a-very-long-program-name",)))
    assert "stop_daemon a-very-long-pro\n" in text
