"""Libraries of the toolchain that an image has only if one of its files is linked with them."""

from __future__ import annotations

import tarfile

import pytest

from incremental.project import Project, ok

CODE = """\
#include <math.h>
#include <stdlib.h>
int main(int count, char **words) { return (int)(WHAT); }
"""
PLAIN, SINE = CODE.replace("WHAT", "count"), CODE.replace("WHAT", "sin(atof(words[1]))")
ON_DEMAND = 'libraries=("libc.so.6",),\n    on_demand=("libm.so.6", "libnone.so.9", "librt.so.1"),'


@pytest.fixture
def project(project: Project) -> Project:
    project.edit("packages/libc/recipe.py", 'libraries=("libc.so.6",),', ON_DEMAND)
    project.program("tool", PLAIN, "-lm")
    project.board(["libc", "tool"])
    return project


def libraries(project: Project, path: str = "rootfs.tar") -> list[str]:
    """Return the names of the libraries in an image, without the loader's."""
    with tarfile.open(project.folder / f"out/tiny/images/{path}") as tar:
        names = [name.rpartition("/")[2] for name in tar.getnames() if "/lib/lib" in name]
    return sorted(names)


def test_a_library_comes_and_goes_with_the_program_that_needs_it(project: Project) -> None:
    assert ok(project.run()).built == ["libc", "tool"]
    assert libraries(project) == ["libc.so.6"]
    project.program("tool", SINE, "-lm")
    assert ok(project.run()).built == ["tool"]
    assert libraries(project) == ["libc.so.6", "libm.so.6"]
    project.program("tool", PLAIN, "-lm")
    ok(project.run())
    assert libraries(project) == ["libc.so.6"]


def test_what_a_file_of_an_overlay_is_linked_with_is_there(project: Project) -> None:
    project.program("tool", SINE, "-lm")
    ok(project.run())
    image = project.folder / "out/tiny/images/rootfs.tar"
    place = project.folder / "rootfs/usr/bin/brought"
    with tarfile.open(image) as tar:
        data = tar.extractfile("usr/bin/tool")
        assert data
        place.write_bytes(data.read())
    place.chmod(0o755)
    project.board(["libc"])
    ok(project.run())
    assert libraries(project) == ["libc.so.6", "libm.so.6"]


def test_a_board_may_have_a_library_in_any_case(project: Project) -> None:
    early = '[roots.early]\npackages = ["libc"]\noverlays = ["rootfs"]\nimage.formats = ["ext4"]\n'
    project.board(["libc", "tool"], f'libraries = ["librt.so.1"]\n{early}')
    ok(project.run())
    assert libraries(project) == ["libc.so.6", "librt.so.1"]
    assert libraries(project, "early/rootfs.tar") == ["libc.so.6"]
    project.board(["libc", "tool"], 'libraries = ["libmm.so.6"]')
    ran = project.run()
    assert ran.status == 2
    assert "error: configs/tiny.toml: libraries: unknown library 'libmm.so.6'" in ran.err
    assert "known: libm.so.6, libnone.so.9, librt.so.1" in ran.err
    assert "did you mean 'libm.so.6'?" in ran.err


def test_why_names_the_board_s_choice(project: Project) -> None:
    ok(project.run())
    project.board(["libc", "tool"], 'libraries = ["librt.so.1"]')
    assert "the libraries that it has on demand changed" in project.run("why").out
