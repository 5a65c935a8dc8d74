"""What dependants build with: headers below usr/lib, pkg-config files and scripts that named the
build's own folders."""

from __future__ import annotations

import pytest

from incremental.conftest import GREET_C
from incremental.project import Project

CONFIG_H = "#define GREETING 42\n"
PC = """\
prefix=@STAGE@/usr
libdir=${prefix}/lib
Name: greet
Description: a library
Version: 1
Cflags: -I${libdir}/greet-1.0/include -I@SRC@
Libs: -L@SYSROOT@/usr/lib -lgreet
"""
SCRIPT = """\
#!@TOOLS@/sh
prefix=/usr
case $1 in
--cflags) echo "-I$prefix/lib/greet-1.0/include" ;;
--libs) echo '-L@SYSROOT@/usr/lib -lgreet' ;;
esac
"""
SED = (
    'Run("sh", "-c", "cd {stage}/usr && tools=$(dirname $(command -v sed)) && sed -i'
    " -e 's,@STAGE@,{stage},;s,@SRC@,{src},;s,@SYSROOT@,{sysroot},' -e s,@TOOLS@,$tools,"
    ' lib/pkgconfig/greet.pc bin/greet-config"),'
)
USE_C = """\
#include <greetconfig.h>
#include <greet.h>
int main(void) { return greet() - GREETING; }
"""
USES = {
    "pkg-config": "pkg-config --cflags --libs greet",
    "script": "{sysroot}/usr/bin/greet-config --cflags; {sysroot}/usr/bin/greet-config --libs",
}


def library(project: Project, config: str = CONFIG_H) -> None:
    files = {"greetconfig.h": config, "greet.pc": PC, "greet-config": SCRIPT}
    project.library("greet", GREET_C, "int greet(void);\n", files=files)
    steps = (
        'Install("greetconfig.h", "usr/lib/greet-1.0/include/greetconfig.h"),'
        'Install("greet.pc", "usr/lib/pkgconfig/greet.pc"),'
        f'Install("greet-config", "usr/bin/greet-config", mode="0755"), {SED}'
    )
    old = 'Install("greet.h", "usr/include/greet.h"),'
    project.edit("packages/greet/recipe.py", old, old + steps)
    project.edit("packages/greet/recipe.py", "import Install", "import Install, Run")


@pytest.mark.parametrize("mode", ["bwrap", "none"])
@pytest.mark.parametrize("asked", USES.values(), ids=USES)
def test_a_dependant_is_built_with_what_the_corrected_files_say(
    project: Project, asked: str, mode: str
) -> None:
    library(project)
    project.program("use", USE_C, "$(FLAGS)", more='needs=("greet",),')
    flags = f'"FLAGS=$(shell {asked})", '
    project.edit("packages/use/recipe.py", "variables=(", f"variables=({flags}")
    project.board(["libc", "use"])
    ran = project.run(f"sandbox.mode={mode}")
    assert ran.status == 0, ran.text
    log = (project.folder / "out/tiny/logs/greet.log").read_text()
    for path in ("usr/bin/greet-config", "usr/lib/pkgconfig/greet.pc"):
        assert f"==> split: {path}: paths of the build corrected\n" in log


def with_pkg_config(project: Project, name: str, requires: str, more: str = "") -> None:
    """Add a library with a pkg-config file."""
    text = f"Name: {name}\nDescription: a library\nVersion: 1\nRequires.private: {requires}\n"
    code, header = f"int {name}(void) {{ return 1; }}\n", f"int {name}(void);\n"
    project.library(name, code, header, files={f"{name}.pc": text}, more=more)
    old = f'Install("{name}.h", "usr/include/{name}.h"),'
    step = f'Install("{name}.pc", "usr/lib/pkgconfig/{name}.pc"),'
    project.edit(f"packages/{name}/recipe.py", old, old + step)


def test_a_pkg_config_file_may_require_only_what_dependants_see(project: Project) -> None:
    with_pkg_config(project, "base", "")
    with_pkg_config(project, "greet", "base", needs := 'needs=["base"],')
    project.board(["libc", "greet"])
    ran = project.run()
    assert ran.status == 2 and "\nreason: pkg-config-requires\n" in ran.err, ran.text
    assert "usr/lib/pkgconfig/greet.pc: base, of base\n" in ran.text
    project.edit("packages/greet/recipe.py", needs, f'{needs} exports=["base"],')
    ran = project.run()
    assert (ran.status, ran.built) == (0, ["greet"]), ran.text


def test_a_header_below_lib_is_part_of_the_interface(project: Project) -> None:
    library(project)
    project.program("use", USE_C, "$(FLAGS)", more='needs=("greet",),')
    flags = '"FLAGS=$(shell pkg-config --cflags --libs greet)", '
    project.edit("packages/use/recipe.py", "variables=(", f"variables=({flags}")
    project.board(["libc", "use"])
    assert project.run().status == 0
    library(project, "#define GREETING 43\n")
    ran = project.run()
    assert (ran.status, ran.built) == (0, ["greet", "use"])
    why = {package["name"]: package["why"] for package in ran.summary["built"]}
    assert "greet: file usr/lib/greet-1.0/include/greetconfig.h changed" in " ".join(why["use"])
