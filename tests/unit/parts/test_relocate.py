"""Paths of the build in installed text files, and what real readers make of the corrected ones."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from split_parts import CROSS, parts_of, program, write

from quard.parts.relocate import BuildOrigin, put_right

ORIGIN = BuildOrigin("/quard", "thing-1.0")

LINES = {
    "pkg-config": (
        "usr/lib/pkgconfig/x.pc",
        "prefix=/quard/stage/usr\nCflags: -I/quard/src/lib -I/quard/sysroot/usr/include/z\n"
        "Libs: -L/quard/sysroot//usr/lib -Wl,-rpath,/quard/sysroot/usr/lib -lz"
        " -L/quard/src/.libs\n",
        "prefix=/usr\nCflags: -I/usr/include/z\nLibs: -L/usr/lib -lz \n",
    ),
    "config script": (
        "usr/bin/x-config",
        "#!/quard/tools/sh\ncc='/quard/tools/riscv64-linux-gnu-gcc --sysroot=/quard/sysroot -O2'\n"
        "echo '-L/quard/sysroot/usr/lib -lz' \"built in /quard/src\"\n",
        "#!/usr/bin/sh\ncc='riscv64-linux-gnu-gcc -O2'\n"
        "echo '-L=/usr/lib -lz' \"built in /usr/src/thing-1.0\"\n",
    ),
    "CMake": (
        "usr/lib/cmake/x/xTargets.cmake",
        'set(LIBS "/quard/sysroot/usr/lib/libz.so;/quard/stage/usr/lib/libx.so")\n',
        'set(LIBS "${CMAKE_CURRENT_LIST_DIR}/../../../../usr/lib/libz.so;'
        '${CMAKE_CURRENT_LIST_DIR}/../../../../usr/lib/libx.so")\n',
    ),
    "sysconfigdata": (
        "usr/lib/python3.11/_sysconfigdata__linux_riscv64-linux-gnu.py",
        "build_time_vars = {'CC': '/quard/tools/riscv64-linux-gnu-gcc',\n"
        " 'LDFLAGS': '-L/quard/sysroot/usr/lib -fdebug-prefix-map=/quard/src=/x -g',\n"
        " 'srcdir': '/quard/src/.', 'DESTDIR': '/quard/stage'}\n",
        "build_time_vars = {'CC': 'riscv64-linux-gnu-gcc',\n"
        " 'LDFLAGS': '-L=/usr/lib -g',\n"
        " 'srcdir': '/usr/src/thing-1.0/.', 'DESTDIR': '/'}\n",
    ),
    "makefile": (
        "usr/lib/python3.11/config-3.11/Makefile",
        "CC=/quard/tools/gcc\nVPATH=/quard/src\nINC=-I/quard/stage/usr/include\n",
        "CC=gcc\nVPATH=/usr/src/thing-1.0\nINC=-I=/usr/include\n",
    ),
    "script of the target": (
        "usr/bin/ztool",
        "#!/quard/tools/perl -w\n$grep = '/quard/tools/grep'; $x = '/quard/stage/etc/x';\n",
        "#!/usr/bin/perl -w\n$grep = '/usr/bin/grep'; $x = '/etc/x';\n",
    ),
    "names that only begin alike": (
        "usr/share/x/readme",
        "/quard/staged /quard/sysroot.old /quard/tools-2 /quard/elsewhere\n",
        "/quard/staged /quard/sysroot.old /quard/tools-2 /quard/elsewhere\n",
    ),
}


@pytest.mark.parametrize(("path", "old", "new"), LINES.values(), ids=LINES)
def test_a_text_file_gets_what_its_reader_needs(
    tmp_path: Path, path: str, old: str, new: str
) -> None:
    write(tmp_path / path, old, 0o755)
    assert put_right(tmp_path, [path], ORIGIN) == ([path] if new != old else [])
    assert (tmp_path / path).read_text() == new
    assert put_right(tmp_path, [path], ORIGIN) == []


def test_programs_and_data_stay_as_they_are_and_names_and_modes_hold(tmp_path: Path) -> None:
    binary = write(tmp_path / "usr/bin/x", "/quard/stage/usr\0")
    text = write(tmp_path / "usr/lib/pkgconfig/x.pc", "prefix=/quard/stage/usr\n", 0o640)
    os.link(text, tmp_path / "usr/lib/pkgconfig/y.pc")
    (tmp_path / "usr/lib/pkgconfig/z.pc").symlink_to("x.pc")
    write(tmp_path / "usr/lib/pkgconfig/empty.pc", "")
    paths = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert put_right(tmp_path, paths, ORIGIN) == ["usr/lib/pkgconfig/x.pc"]
    assert binary.read_text() == "/quard/stage/usr\0"
    assert (tmp_path / "usr/lib/pkgconfig/y.pc").read_text() == "prefix=/usr\n"
    assert stat.S_IMODE(text.stat().st_mode) == 0o640
    assert text.stat().st_nlink == 2


def test_names_of_one_file_get_what_their_readers_need(tmp_path: Path) -> None:
    """Whichever comes first."""
    text = "prefix=/quard/stage/usr\n"
    names = {
        "usr/lib/cmake/x/x.cmake": "prefix=${CMAKE_CURRENT_LIST_DIR}/../../../../usr\n",
        "usr/lib/cmake/y/x.cmake": "prefix=${CMAKE_CURRENT_LIST_DIR}/../../../../usr\n",
        "usr/share/a.cmake": "prefix=${CMAKE_CURRENT_LIST_DIR}/../../usr\n",
        "usr/share/doc": "prefix=/usr\n",
    }
    for order in (list(names), list(reversed(names))):
        stage = tmp_path / order[0].replace("/", "-")
        first = write(stage / order[0], text)
        for name in order[1:]:
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(first, stage / name)
        put_right(stage, order, ORIGIN)
        assert {name: (stage / name).read_text() for name in names} == names
        one, other, *_ = names
        assert (stage / one).samefile(stage / other)


def test_a_script_for_builds_leaves_its_other_names_as_they_are(tmp_path: Path) -> None:
    text = "#!/bin/sh\nprefix=/usr\n"
    other = write(tmp_path / "usr/bin/again", text)
    os.link(other, tmp_path / "usr/bin/x-config")
    put_right(tmp_path, ["usr/bin/again", "usr/bin/x-config"], ORIGIN)
    assert other.read_text() == text
    assert "dirname" in (tmp_path / "usr/bin/x-config").read_text()


def test_a_folder_of_an_unsealed_build_is_known_by_its_own_path(tmp_path: Path) -> None:
    origin = BuildOrigin("/home/me/a+b (c)/out/tiny/work/x", "x-1")
    write(tmp_path / "x.pc", f"prefix={origin.inside}/stage/usr\n")
    put_right(tmp_path, ["x.pc"], origin)
    assert (tmp_path / "x.pc").read_text() == "prefix=/usr\n"


def test_what_cannot_be_put_right_is_told_all_at_once(stage: Path) -> None:
    write(stage / "usr/bin/one", "#!/bin/sh\ncd /quard/src\n", 0o755)
    write(stage / "usr/share/two", "/quard/files/x /quard/stage/usr\n")
    write(stage / "usr/lib/pkgconfig/good.pc", "prefix=/quard/stage/usr\n")
    leaks = {leak.path: leak.text for leak in parts_of(stage).leaks}
    assert leaks == {"usr/bin/one": "cd /quard/src", "usr/share/two": "/quard/files/x /usr"}


# What the readers make of it


def test_pkg_config_finds_the_sysroot_through_a_corrected_file(tmp_path: Path) -> None:
    path = "usr/lib/pkgconfig/thing.pc"
    text = "prefix=/quard/stage/usr\nName: x\nDescription: x\nVersion: 1\n"
    text += "Cflags: -I${prefix}/include/x -I/quard/src\nLibs: -L/quard/stage/opt/lib -lx\n"
    write(tmp_path / path, text)
    put_right(tmp_path, [path], ORIGIN)
    folders = {"PKG_CONFIG_LIBDIR": str(tmp_path / "usr/lib/pkgconfig")}
    env = {"PATH": os.environ["PATH"], "PKG_CONFIG_SYSROOT_DIR": str(tmp_path), **folders}
    done = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "thing"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [
        f"-I{tmp_path}/usr/include/x",
        f"-L{tmp_path}/opt/lib",
        "-lx",
    ]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_config_script_answers_with_the_folder_that_it_lies_in(
    tmp_path: Path, shell: str
) -> None:
    path = "a sysroot/usr/bin/x-config"
    text = "prefix=\"/usr\"\nexec_prefix=${prefix}\nincludedir=/usr/include\nlibdir='/usr/lib'\n"
    text += "xml='-I/usr/include/libxml2 -L/usr/lib/x'\nplugins=/usr/lib/x\n"
    text += "case -L/usr/lib in -I/usr/include|-L/usr/lib) ;; esac\n"
    text += 'echo "$prefix|$exec_prefix|-I$includedir|-L$libdir|$xml|$plugins"\n'
    write(tmp_path / path, f"#!/bin/sh\n{text}", 0o755)
    sysroot = tmp_path / "a sysroot"
    assert put_right(sysroot, ["usr/bin/x-config"], ORIGIN) == ["usr/bin/x-config"]
    done = subprocess.run(
        [shell, sysroot / "usr/bin/x-config"], capture_output=True, text=True, check=True
    )
    usr = f"{sysroot}/usr"
    literal = "-I=/usr/include/libxml2 -L=/usr/lib/x|/usr/lib/x"
    new = (sysroot / "usr/bin/x-config").read_text()
    assert "in -I/usr/include|-L/usr/lib) ;;" in new
    assert done.stdout == f"{usr}|{usr}|-I{usr}/include|-L{usr}/lib|{literal}\n"


def test_a_config_script_of_another_language_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "usr/bin/x-config", "#!/usr/bin/perl\nprefix=/usr\n", 0o755)
    program(tmp_path / "usr/bin/y-config")
    assert put_right(tmp_path, ["usr/bin/x-config", "usr/bin/y-config"], ORIGIN) == []


def test_the_compiler_takes_its_sysroot_for_the_equals_sign(tmp_path: Path) -> None:
    """As corrected makefiles and scripts write it: -I=/usr/include/x."""
    root = tmp_path / "sysroot"
    write(root / "usr/include/x/only-here.h", "int x;\n")
    done = subprocess.run(
        [f"{CROSS}gcc", f"--sysroot={root}", "-I=/usr/include/x", "-E", "-xc", "-"],
        input="#include <only-here.h>\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "int x;" in done.stdout


def test_cmake_files_lead_to_the_sysroot_wherever_it_lies(tmp_path: Path) -> None:
    cmake = shutil.which("cmake")
    path = "usr/lib/cmake/x/x.cmake"
    write(tmp_path / path, "set(LIB /quard/sysroot/usr/lib/libz.so)\nmessage(${LIB})\n")
    put_right(tmp_path, [path], ORIGIN)
    write(tmp_path / "usr/lib/libz.so")
    if cmake is None:
        text = (tmp_path / path).read_text().split()[1].rstrip(")")
        found = Path(text.replace("${CMAKE_CURRENT_LIST_DIR}", str((tmp_path / path).parent)))
    else:
        done = subprocess.run(
            [cmake, "-P", tmp_path / path], capture_output=True, text=True, check=True
        )
        found = Path(done.stderr.strip())
    assert found.resolve() == tmp_path / "usr/lib/libz.so"
