"""`./scons tools-update` as a user runs it, against an archive on a local server."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_archive import Debian
from faulty_server import Reply, running
from waiting import within

import checkout
from incremental.project import Project, Ran
from quard.base.files import file_sha256
from quard.tools.signature import KEYRINGS

NAMES = """\
release = "one"
common = ["bash"]
build = []
further = []
python = []
menuconfig = []
terminals = []
machine = []
emulators = []
debug = []
launchers = []
"""
LIMIT = 60
RELEASE = "one 1.2 of 2020-02-01T09:15:44Z"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    (project.folder / "configs/tools").mkdir()
    (project.folder / "configs/tools/names.toml").write_text(NAMES)
    (project.folder / "configs/targets").unlink()
    (project.folder / "configs/targets").mkdir()
    return project


@pytest.fixture
def debian() -> Iterator[Debian]:
    with running() as server:
        found = Debian(server)
        found.add("bash", "bin/bash", Depends="libc6")
        found.add("libc6", "usr/lib/libc.so")
        found.publish()
        yield found


def locks(project: Project) -> list[str]:
    return sorted(path.name for path in (project.folder / "configs/tools").glob("*.json*"))


def setting(debian: Debian) -> str:
    return f"tools.mirrors={debian.base}"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without gpgv, which cannot check the signature."""
    (tmp_path / "programs").mkdir()
    return {"PATH": str(tmp_path / "programs")}


def test_an_update_writes_the_locks_and_the_next_one_has_nothing_to_do(
    project: Project, debian: Debian, bare: dict[str, str]
) -> None:
    ran = project.run("tools-update", "-n", setting(debian), env=bare)
    assert ran.status == 0, ran.text
    assert f"would write configs/tools/one-amd64.json: {RELEASE}, 2 packages" in ran.out
    assert locks(project) == []
    ran = project.run("tools-update", setting(debian), env=bare)
    assert ran.status == 0, ran.text
    assert f"wrote configs/tools/one-amd64.json: {RELEASE}, 2 packages" in ran.out
    assert ran.text.count("signature not checked: this machine has no gpgv") == 1
    assert locks(project) == ["one-amd64.json", "one-arm64.json"]
    (kept,) = (project.cache / "tools/debs").glob("*/bash_1.deb")
    assert file_sha256(kept) == kept.parent.name
    ran = project.run("tools-update", "-s", setting(debian), env=bare)
    assert (ran.status, ran.out) == (
        0,
        "nothing new: the lock files have the packages of one 1.2\n",
    )


@pytest.mark.skipif(
    not (shutil.which("gpgv") and any(path.is_file() for path in KEYRINGS)),
    reason="this machine has no gpgv or no keyring of Debian",
)
def test_a_release_that_debian_has_not_signed_is_one_error(
    project: Project, debian: Debian
) -> None:
    ran = project.run("tools-update", setting(debian))
    assert ran.status == 2, ran.text
    assert ran.err.count("error: ") == 1
    assert "reason: bad-signature" in ran.err
    assert locks(project) == []


def test_a_file_that_is_gone_and_bad_names_are_one_error_each(
    project: Project, debian: Debian, bare: dict[str, str]
) -> None:
    debian.server.serve(debian.place("bash"), Reply(status=404))
    ran = project.run("tools-update", setting(debian), env=bare)
    assert ran.status == 2, ran.text
    assert ran.err.count("error: ") == 1
    assert "reason: tools-unavailable" in ran.err
    (project.folder / "configs/tools/names.toml").write_text(NAMES + "commn = []\n")
    ran = project.run("tools-update", setting(debian), env=bare)
    assert ran.status == 2, ran.text
    assert ran.err.startswith("error: configs/tools/names.toml: unknown key commn")
    assert locks(project) == []


TARGET = """\
summary = "a processor of the product's"
linux_arch = "sh"
linux_image = "zImage"
gdb = "sh4"
loader = "/lib/ld-linux.so.2"
tools = [{tools}]
[elf]
machine = "EM_SH"
bits = 32
order = "little"
"""


def in_product(project: Project, *arguments: str, env: dict[str, str]) -> Ran:
    """Run SCons in the folder of a product beside the project, which is its checkout."""
    top = project.folder
    words = (f"--file={top}/SConstruct", f"--site-dir={top}/site_scons", "-Q", *arguments)
    cache = f"cache.dir={project.cache}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", checkout.start(), str(top), *words, cache, "BOARD=tiny"],
        cwd=top.parent / "product",
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr, {})


def test_in_the_folder_of_a_product_its_tree_gets_a_lock_for_its_targets(
    project: Project, debian: Debian, bare: dict[str, str]
) -> None:
    debian.add("gcc-sh4-linux-gnu", "usr/bin/sh4-linux-gnu-gcc", Depends="libc6")
    debian.publish()
    product = project.folder.parent / "product"
    (product / "configs/targets").mkdir(parents=True)
    (product / "quardroot.toml").write_text('name = "acme"\n')
    target = product / "configs/targets/sh4-linux-gnu.toml"
    target.write_text(TARGET.format(tools='"gcc-sh4-linux-gnux"'))
    ran = in_product(project, "tools-update", setting(debian), env=bare)
    assert (ran.status, ran.err.count("error: ")) == (2, 1)
    assert "reason: unknown-tool-package\nhint: did you mean 'gcc-sh4-linux-gnu' for" in ran.err
    target.write_text(TARGET.format(tools='"gcc-sh4-linux-gnu"'))
    ran = in_product(project, "tools-update", setting(debian), env=bare)
    assert ran.status == 0, ran.text
    assert f"wrote configs/tools/one-amd64.json: {RELEASE}, 3 packages" in ran.out
    assert "  targets.sh4-linux-gnu: 2 packages" in ran.out
    written = sorted(path.name for path in (product / "configs/tools").iterdir())
    assert (locks(project), written) == ([], ["one-amd64.json", "one-arm64.json"])
    ran = in_product(project, "tools-update", "-s", setting(debian), env=bare)
    assert ran.out == "nothing new: the lock files have the packages of one 1.2\n", ran.text


def test_a_product_without_targets_has_the_locks_of_the_checkout(
    project: Project, debian: Debian, bare: dict[str, str]
) -> None:
    product = project.folder.parent / "product"
    product.mkdir()
    (product / "quardroot.toml").write_text('name = "acme"\n')
    ran = in_product(project, "tools-update", setting(debian), env=bare)
    assert ran.status == 0, ran.text
    assert locks(project) == ["one-amd64.json", "one-arm64.json"]
    assert not (product / "configs").exists()


def test_ctrl_c_ends_an_update_with_one_error_and_the_next_one_resumes_it(
    project: Project, debian: Debian, bare: dict[str, str]
) -> None:
    debian.debs["bash"] += bytes(1 << 20)  # what follows the last member is not read
    debian.publish()
    place, whole = debian.place("bash"), debian.debs["bash"]
    debian.server.serve(place, Reply(whole, etag='"x"', pause=0.1))
    first = subprocess.Popen(
        project.command("tools-update", setting(debian)),
        cwd=project.folder,
        env={**os.environ, **bare},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    part = project.cache / "tools/debs" / hashlib.sha256(whole).hexdigest() / "bash_1.deb.part"
    assert within(LIMIT, lambda: part.is_file() and part.stat().st_size)
    os.killpg(first.pid, signal.SIGINT)
    _, err = first.communicate(timeout=LIMIT)
    assert first.returncode == 2, err
    assert err.count("error: ") == 1
    assert "reason: interrupted" in err
    assert "Traceback" not in err
    assert locks(project) == []
    debian.server.serve(place, Reply(whole, etag='"x"'))
    ran = project.run("tools-update", setting(debian), env=bare)
    assert ran.status == 0, ran.text
    resumed = [head.get("range") for path, head in debian.server.requests if path == place]
    assert resumed[0] is None
    assert (resumed[-1] or "").startswith("bytes=")
    assert locks(project) == ["one-amd64.json", "one-arm64.json"]
