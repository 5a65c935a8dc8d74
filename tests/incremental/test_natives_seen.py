"""Packages for the build machine: what a build sees of them is always the same and in its key."""

from __future__ import annotations

import tarfile

from incremental.project import Project, ok

RECIPE = """\
from quard.model import Custom, Install, Run, Source

RECIPE = Custom(
    summary="a part of a test",
    version="1",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    configure=(),
    build=({build},),
    install=(Install("x", "{to}", mode="0755"),),
    {more}
)
"""
LIBRARY = 'Run("{cross}gcc", "-shared", "-o", "x", "x.c")'
PLUG_IN = "usr/share/cmake/lib/plug.so"


def package(
    project: Project, name: str, files: dict[str, str], build: str, to: str, more: str = ""
) -> None:
    """Write a package that builds and installs a file x."""
    url, sha256 = project.archive(name, "1", files)
    place = project.folder / "packages" / name / "recipe.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    given = {"{url}": url, "{sha256}": sha256, "{build}": build, "{to}": to, "{more}": more}
    text = RECIPE
    for word, value in given.items():
        text = text.replace(word, value)
    place.write_text(text)


def script(project: Project, name: str, text: str, more: str = "") -> None:
    package(project, name, {"x": text}, 'Run("true")', f"usr/bin/{name}", more)


def shell(command: str) -> str:
    return f'Run("sh", "-c", "{command}")'


def member(project: Project, path: str) -> bytes:
    """Return the content of a file in rootfs.tar."""
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        found = tar.extractfile(path)
        assert found is not None
        return found.read()


def test_a_program_that_a_native_calls_is_there_whatever_else_is_built(project: Project) -> None:
    script(project, "aid", "#!/bin/sh\necho help\n")
    script(project, "beta", "#!/bin/sh\naid\n", 'runtime=("aid",),')
    calls = shell("beta >x")
    for name in ("omega", "second"):
        more = 'natives=("aid",),' if name == "second" else 'natives=("beta",),'
        package(project, name, {"y": ""}, calls if name == "omega" else shell("aid >x"),
                f"usr/share/{name}", more)  # fmt: skip
    package(project, "user", {"y": ""}, shell("cat /quard/native/usr/share/omega >x"),
            "usr/share/user", 'natives=("omega",),')  # fmt: skip
    project.board(["libc", "user"])
    first = ok(project.run())
    assert {"build/aid", "build/beta", "build/omega"} <= {*first.built}
    project.board(["libc", "second", "user"])
    assert ok(project.run()).built == ["second"]
    assert ok(project.run("build/aid", "build/omega")).built == []


def test_code_in_a_folder_for_developers_counts_as_well(project: Project) -> None:
    def library(number: int) -> None:
        code = {"x.c": f"int f(void) {{ return {number}; }}\n"}
        package(project, "lib", code, LIBRARY, PLUG_IN)

    library(1)
    package(project, "user", {"y": ""}, shell(f"sha256sum </quard/native/{PLUG_IN} >x"),
            "usr/share/user", 'natives=("lib",),')  # fmt: skip
    project.board(["libc", "user"])
    ok(project.run())
    image = project.image()
    library(2)
    assert ok(project.run()).built == ["build/lib", "user"]
    assert project.image() != image


def test_a_path_of_the_build_machine_is_found_in_what_is_installed(project: Project) -> None:
    package(project, "tool", {"x": "#!/bin/sh\necho PREFIX\n"}, 'Run("sed", "-i",'
            ' "s|PREFIX|{prefix}|", "x")', "usr/bin/tool")  # fmt: skip
    package(project, "user", {"y": ""}, shell("tool >x"), "usr/share/user", 'natives=("tool",),')
    project.board(["libc", "user"])
    for words in (("user",), ("sandbox.mode=none", "user")):
        ran = project.run(*words)
        assert ran.status == 2 and "reason: path-leak" in ran.err, ran.text


def test_a_native_script_without_its_interpreter_is_not_called_a_missing_tool(
    project: Project,
) -> None:
    script(project, "tool", "#!/usr/bin/no-such-interpreter\n")
    package(project, "user", {"y": ""}, 'Run("tool")', "usr/share/user", 'natives=("tool",),')
    project.board(["libc", "user"])
    ran = project.run("user")
    assert ran.status == 2 and 'tools=("tool",)' not in ran.err, ran.text


def test_packages_with_different_files_at_one_path_are_both_named(project: Project) -> None:
    for name, text in (("one", "1"), ("two", "two"), ("user", "")):
        more = 'natives=("one", "two"),' if name == "user" else ""
        package(project, name, {"x": text}, 'Run("true")', "usr/share/x", more)
    project.board(["libc", "user"])
    ran = project.run("user")
    assert ran.status == 2 and "reason: file-collision" in ran.err, ran.text
    assert "usr/share/x: one and two: files of 1 and 3 bytes" in ran.err


def test_only_builds_for_the_build_machine_are_answered_where_its_libraries_are(
    project: Project,
) -> None:
    """A configure script that finds such a script takes headers of another machine."""
    package(project, "lib", {"x": "#!/bin/sh\necho found\n"}, 'Run("true")', "usr/bin/lib-config")
    code = "int main(void) { return 0; }\n"
    package(project, "llvm", {"x.c": code}, LIBRARY.replace('"-shared", ', ""),
            "usr/bin/llvm-config")  # fmt: skip
    asks = shell("{ lib-config || echo none; llvm-config && echo program; } >x")
    needs = 'needs=("lib", "llvm"),'
    package(project, "gen", {"y": ""}, asks, "usr/share/gen", f"for_build=ForBuild({needs}),")
    project.edit("packages/gen/recipe.py", "import Custom", "import Custom, ForBuild")
    package(project, "user", {"y": ""}, asks, "usr/share/user", 'natives=("gen", "lib", "llvm"),')
    package(project, "show", {"y": ""}, shell("cat /quard/native/usr/share/gen >x"),
            "usr/share/show", 'natives=("gen",),')  # fmt: skip
    project.board(["libc", "show", "user"])
    ok(project.run())
    assert member(project, "usr/share/show") == b"found\nprogram\n"
    assert member(project, "usr/share/user") == b"none\nprogram\n"


def test_what_tar_installs_in_place_of_the_link_is_seen_where_it_belongs(project: Project) -> None:
    package(project, "tool", {"x": "#!/bin/sh\necho help\n"}, 'Run("true")', "usr/bin/tool")
    project.edit(
        "packages/tool/recipe.py",
        'Install("x", "usr/bin/tool", mode="0755"),',
        'Run("sh", "-c", "mkdir -p t{prefix}/bin && cp x t{prefix}/bin/tool'
        ' && chmod +x t{prefix}/bin/tool && tar -C t -cf - . | tar -C {stage} -xf -"),',
    )
    package(project, "user", {"y": ""}, shell("tool >x"), "usr/share/user", 'natives=("tool",),')
    project.board(["libc", "user"])
    ok(project.run())
    assert member(project, "usr/share/user") == b"help\n"
