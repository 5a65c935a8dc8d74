"""Which of two packages has a path of the image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.layers import Layer
from quard.image.rootfs import RootfsJob, assemble

BOX: dict[str, Any] = {"usr/bin/box": b"all in one", "usr/bin/less": "box", "usr/bin/ls": "box"}
LESS: dict[str, Any] = {"usr/bin/less": b"pages", "usr/bin/lesskey": b"keys"}
ALL = (("box", ("*",)),)


def manifest(job: RootfsJob, folder: Path) -> dict[str, Any]:
    assemble(job, folder / "rootfs.tar", folder / "manifest.json")
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


@pytest.mark.parametrize("yields", [ALL, (("box", ("less", "other")),)])
def test_a_path_is_left_to_the_package_that_keeps_it(tmp_path: Path, yields: Any) -> None:
    found = manifest(parts.spec(tmp_path, {"box": BOX, "less": LESS}, yields=yields), tmp_path)
    less, other = found["/usr/bin/less"], found["/usr/bin/ls"]
    assert (less["package"], less["type"], less["yielded_by"]) == ("less", "file", ["box"])
    assert (other["package"], other["target"]) == ("box", "box")
    assert "yielded_by" not in other


def test_a_package_that_yields_has_all_its_paths_where_nobody_else_installs_them(
    tmp_path: Path,
) -> None:
    found = manifest(parts.spec(tmp_path, {"box": BOX}, yields=ALL), tmp_path)
    assert found["/usr/bin/less"]["package"] == "box"


@pytest.mark.parametrize(
    "yields",
    [(), (("box", ("other",)),), (("less", ("other",)),), (*ALL, ("less", ("*",)))],
    ids=["neither yields", "to another one", "the other to another one", "each to the other"],
)
def test_other_packages_with_one_path_collide(tmp_path: Path, yields: Any) -> None:
    job = parts.spec(tmp_path, {"box": BOX, "less": LESS}, yields=yields)
    with pytest.raises(QuardError) as caught:
        manifest(job, tmp_path)
    assert caught.value.reason == "file-collision"


def test_two_packages_to_which_a_third_one_yields_still_collide(tmp_path: Path) -> None:
    job = parts.spec(tmp_path, {"box": BOX, "less": LESS, "more": LESS}, yields=ALL)
    with pytest.raises(QuardError) as caught:
        manifest(job, tmp_path)
    assert caught.value.reason == "file-collision"
    assert "box" not in caught.value.message + caught.value.detail


def test_a_file_where_the_other_package_has_a_folder_collides(tmp_path: Path) -> None:
    job = parts.spec(tmp_path, {"box": BOX, "less": {"usr/bin/less/x": b""}}, yields=ALL)
    with pytest.raises(QuardError) as caught:
        manifest(job, tmp_path)
    assert caught.value.reason == "parent-not-folder"


def test_the_result_does_not_depend_on_the_order_of_the_layers(tmp_path: Path) -> None:
    job = parts.spec(tmp_path, {"box": BOX, "less": LESS}, yields=ALL)
    again = parts.changed(job, layers=tuple(reversed(job.layers)))
    assert manifest(job, tmp_path) == manifest(again, tmp_path)


def test_folders_of_both_packages_have_the_mode_that_is_not_the_default(tmp_path: Path) -> None:
    job = parts.spec(tmp_path, {"box": {"srv": 0o750}, "less": {"srv": 0o755}}, yields=ALL)
    layer = Layer("box", parts.blob(tmp_path / "libs.tar", {"srv": 0o755, "srv/x": b""}))
    found = manifest(parts.changed(job, layers=(*job.layers, layer)), tmp_path)
    assert found["/srv"]["mode"] == "0750"
