"""What a package takes from the real cross toolchain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute.taken import files, files_at, take
from quard.execute.toolchain import Toolchain, find
from quard.plan.plan import HeadersStep, Plan, RunStep, ToolchainStep
from quard.process.system import System


@pytest.fixture
def toolchain(tmp_path: Path) -> Toolchain:
    return find("riscv64-linux-gnu-", None, os.environ["PATH"], Programs(tmp_path / "memory.json"))


def test_libraries_and_the_loader_have_their_plain_names(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    loader = "/lib/ld-linux-riscv64-lp64d.so.1"
    take(tmp_path, toolchain, ToolchainStep("install", ("libm.so.6",), loader))
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "usr/lib").iterdir()}
    assert found == {"libm.so.6": 0o755, "ld-linux-riscv64-lp64d.so.1": 0o755}


def test_headers_are_those_of_the_folders_and_can_be_changed(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    take(tmp_path, toolchain, HeadersStep("install", ("linux", "mtd")))
    include = tmp_path / "usr/include"
    assert sorted(path.name for path in include.iterdir()) == ["linux", "mtd"]
    header = include / "linux/netfilter/nf_tables.h"
    assert header.stat().st_mode & 0o777 == 0o644
    assert header.stat().st_nlink == 1
    assert {path.suffix for path in include.rglob("*") if path.is_file()} == {".h"}


def test_a_folder_that_the_toolchain_lacks_is_an_error(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    with pytest.raises(QuardError) as caught:
        take(tmp_path, toolchain, HeadersStep("install", ("nowhere",)))
    assert caught.value.reason == "library-missing"


def test_what_a_command_has_made_of_files_of_the_tools_comes_from_the_first_of_them(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    tools, stage = System(tmp_path / "tools"), tmp_path / "stage"
    for path in ("tools/usr/share/i18n/C", "tools/usr/share/i18n/UTF-8.gz", "stage/usr/lib/C/time"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (stage / "usr/lib/own").touch()
    (stage / "usr/lib/C/inner").mkdir()
    words = ("/usr/share/i18n/C", "/usr/share/i18n/UTF-8.gz", "{stage}/usr/lib/C")
    make = RunStep("install", ("compile", "--little", "-i", *words))
    plan = Plan(name="x", version="1", triple="riscv64-linux-gnu", steps=(make,))
    found = files(plan, stage, toolchain, tools)
    assert found == {"usr/lib/C/time": Path("/usr/share/i18n/C")}


def test_files_that_a_package_without_an_archive_has_from_the_tools(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    """A file that the command copies to another path cannot be told from one of its own."""
    tools, stage = System(tmp_path / "tools"), tmp_path / "stage"
    for top in (tools.folder, stage):
        (top / "usr/share/data/inner").mkdir(parents=True)
        (top / "usr/share/data/inner/file").touch()
    (tools.folder / "usr/share/data/unused").touch()
    (stage / "usr/share/own").touch()
    copy = RunStep("install", ("cp", "-R", "/usr/share/data", "{stage}/usr/share"))
    headers = HeadersStep("install", ("mtd",))
    take(stage, toolchain, headers)
    plan = Plan(name="x", version="1", triple="riscv64-linux-gnu", steps=(copy, headers))
    found = files(plan, stage, toolchain, tools)
    assert found.pop("usr/share/data/inner/file") == Path("/usr/share/data/inner/file")
    assert found["usr/include/mtd/mtd-abi.h"] == toolchain.header_folder("mtd") / "mtd-abi.h"
    assert all(path.startswith("usr/include/mtd/") for path in found)


def test_the_files_at_a_place_are_sorted_and_links_to_folders_are_not_followed(
    tmp_path: Path,
) -> None:
    for path in ("top/b/c", "top/b.h", "top/a", "else/file"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    top = tmp_path / "top"
    (top / "folder").symlink_to("../else")
    (top / "link").symlink_to("a")
    (top / "broken").symlink_to("nowhere")
    (top / "device").symlink_to("/dev/null")
    os.mkfifo(top / "pipe")
    found = [os.path.relpath(path, top) for path in files_at(str(top))]
    assert found == ["a", "b/c", "b.h", "link"]
    assert list(files_at(str(top / "a"))) == [str(top / "a")]
    assert list(files_at("/dev/null")) == list(files_at(str(top / "broken"))) == []
