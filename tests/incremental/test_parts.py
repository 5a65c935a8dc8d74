"""An image has the libs of packages that are only needed, not their programs."""

from __future__ import annotations

import json

import pytest

from incremental.conftest import GREET_C, GREET_H
from incremental.project import Project, ok
from incremental.test_soundness import blob_of

GREETER_C = "int main(void) { return %d; }\n"
PROGRAM = "usr/bin/greeter"


@pytest.fixture
def greeting(greeting: Project) -> Project:
    """A library with a program of its own, /usr/bin/greeter, which hello needs."""
    greeter(greeting, 0)
    return greeting


def greeter(project: Project, status: int, more: str = "", code: str = GREET_C) -> None:
    """Write the library's package with a program that ends with this status."""
    files = {"greeter.c": GREETER_C % status, "conf": "x\n"}
    project.library("greet", code, GREET_H, files=files, more=more)
    recipe = "packages/greet/recipe.py"
    project.edit(recipe, "import Install", "import Part, Permission, User, Install")
    project.edit(recipe, 'make=("libgreet.so.1",)', 'make=("libgreet.so.1", "greeter")')
    project.edit(
        recipe,
        "    finish=(",
        f'    finish=(Install("greeter", "{PROGRAM}", mode="0755"), '
        'Install("conf", "etc/greet.conf"),\n',
    )


def paths(project: Project) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        (project.folder / "out/tiny/images/manifest.json").read_text()
    )
    return found


def listed(project: Project) -> None:
    """Let the board list the library's package."""
    project.board(["alone", "greet", "hello", "libc"])


def test_the_image_has_the_libs_of_a_needed_package_and_programs_of_a_listed_one(
    greeting: Project,
) -> None:
    ok(greeting.run())
    assert {"/usr/lib/libgreet.so.1", "/etc/greet.conf"} <= paths(greeting).keys()
    assert f"/{PROGRAM}" not in paths(greeting)
    listed(greeting)
    assert "programs of greet added" in ok(greeting.run("why")).out
    ran = ok(greeting.run())
    assert ran.built == [] and "rootfs.tar" in ran.summary["images"]
    assert paths(greeting)[f"/{PROGRAM}"]["package"] == "greet"


def own_part(project: Project, need: str) -> None:
    """Give the library's package a part `shared` with its library, and let hello need this."""
    project.edit(
        "packages/greet/recipe.py",
        "    finish=(",
        '    parts=(Part("shared", ("usr/lib/libgreet.so*",)),),\n    finish=(',
    )
    needs(project, "greet", need)


def needs(project: Project, before: str, *now: str) -> None:
    """Replace what hello needs."""
    old = f'needs=("{before}",)'
    project.edit("packages/hello/recipe.py", old, f"needs={now!r}".replace("'", '"'))


def test_a_need_of_a_part_brings_this_part_alone(greeting: Project) -> None:
    own_part(greeting, "greet")
    ok(greeting.run())
    assert {"/usr/lib/libgreet.so.1", "/etc/greet.conf"} <= paths(greeting).keys()
    needs(greeting, "greet", "greet:shared")
    assert "libs of greet removed" in ok(greeting.run("why")).out
    ran = ok(greeting.run())
    assert ran.built == [] and "rootfs.tar" in ran.summary["images"]
    assert "/usr/lib/libgreet.so.1" in paths(greeting)
    assert not {"/etc/greet.conf", f"/{PROGRAM}"} & paths(greeting).keys()
    needs(greeting, "greet:shared", "greet:programs", "greet:shared")
    ok(greeting.run())
    assert f"/{PROGRAM}" in paths(greeting) and "/etc/greet.conf" not in paths(greeting)
    listed(greeting)
    ok(greeting.run())
    assert {"/etc/greet.conf", f"/{PROGRAM}"} <= paths(greeting).keys()


def test_a_library_in_a_part_that_nobody_needs_is_an_error_with_its_remedy(
    greeting: Project,
) -> None:
    own_part(greeting, "greet:libs")
    ran = greeting.run()
    assert ran.status == 2
    assert "needs libgreet.so.1, which is not in the image" in ran.err
    assert "greet has it, in its part `shared`" in ran.err
    needs(greeting, "greet:libs", "greet:libs", "greet:shared")
    ok(greeting.run())


def test_a_part_that_a_package_does_not_have_is_an_error_before_anything_is_built(
    greeting: Project,
) -> None:
    own_part(greeting, "greet:shard")
    ran = greeting.run()
    assert ran.status == 2 and not ran.summary
    assert "reason: unknown-part" in ran.err and "did you mean 'shared'?" in ran.err


def test_a_package_that_a_recipe_names_in_runtime_comes_whole(greeting: Project) -> None:
    greeting.edit("packages/alone/recipe.py", "    \n)", '    runtime=("greet",),\n)')
    ok(greeting.run())
    assert f"/{PROGRAM}" in paths(greeting)


def test_a_changed_program_of_a_package_that_is_only_needed_makes_no_image(
    greeting: Project,
) -> None:
    ok(greeting.run())
    before = greeting.image()
    greeter(greeting, 1)
    assert "if the files of greet change" in ok(greeting.run("why")).out
    ran = ok(greeting.run())
    assert (ran.built, ran.summary["images"]) == (["greet"], [])
    assert ok(greeting.run()).built == []
    greeter(greeting, 1, code=GREET_C.replace("return 42", "volatile int a = 42; return a"))
    ran = ok(greeting.run())
    assert ran.built == ["greet"] and "rootfs.tar" in ran.summary["images"]
    assert greeting.image() != before


def test_a_changed_program_of_a_listed_package_makes_the_images(greeting: Project) -> None:
    listed(greeting)
    ok(greeting.run())
    greeter(greeting, 1)
    assert "if the files of greet change" in ok(greeting.run("why")).out
    ran = ok(greeting.run())
    assert ran.built == ["greet"] and "rootfs.tar" in ran.summary["images"]


def test_a_recipe_moves_a_file_to_the_other_part(greeting: Project) -> None:
    ok(greeting.run())
    greeter(greeting, 0, 'parts=(Part("programs", ("etc/*.conf",)),),')
    assert "part programs: none -> etc/*.conf" in ok(greeting.run("why")).out
    ran = ok(greeting.run())
    assert ran.built == ["greet"] and "rootfs.tar" in ran.summary["images"]
    assert "/etc/greet.conf" not in paths(greeting)
    greeter(greeting, 0, 'parts=(Part("programs", ("etc/*.cfg",)),),')
    ran = greeting.run()
    assert "reason: part-unused" in ran.err and "programs: etc/*.cfg" in ran.err


def test_permissions_and_accounts_of_programs_that_are_not_there_are_no_errors(
    greeting: Project,
) -> None:
    more = (
        'users=(User("greeter", uid=70), User("keeper", uid=71)),'
        f'permissions=(Permission("/{PROGRAM}", "4755"),'
        ' Permission("/etc/greet.conf", "0640", group="keeper")),'
    )
    greeter(greeting, 0, more)
    ok(greeting.run())
    found = paths(greeting)
    assert (found["/etc/greet.conf"]["mode"], found["/etc/greet.conf"]["gid"]) == ("0640", 71)
    small = int(str(found["/etc/passwd"]["size"]))
    listed(greeting)
    ok(greeting.run())
    assert paths(greeting)[f"/{PROGRAM}"]["mode"] == "4755"
    assert int(str(paths(greeting)["/etc/passwd"]["size"])) > small


@pytest.mark.parametrize("lost", [False, True], ids=["there", "lost"])
def test_an_error_names_the_package_whose_programs_are_missing(
    greeting: Project, lost: bool
) -> None:
    ok(greeting.run())
    if lost:
        blob_of(greeting, "greet").unlink()
    script = greeting.folder / "rootfs/usr/bin/script"
    script.write_text(f"#!/{PROGRAM}\n")
    script.chmod(0o755)
    ran = greeting.run()
    assert ran.status != 0 and "reason: missing-interpreter" in ran.err, ran.text
    assert "hint: greet has it, in its part `programs`, which the image does not" in ran.err
    listed(greeting)
    ok(greeting.run())


def test_the_debugger_sees_the_files_of_the_image(greeting: Project) -> None:
    root = greeting.folder / "out/tiny/debug/root"
    assert "reason: image-missing" in greeting.run("run", "DEBUG=1").err
    assert (root / "usr/lib/libgreet.so.1").exists()
    assert not (root / PROGRAM).exists()
    listed(greeting)
    assert "reason: image-missing" in greeting.run("run", "DEBUG=1").err
    assert (root / PROGRAM).exists()


def test_gc_keeps_both_parts_and_a_lost_one_is_restored_with_its_package(
    greeting: Project,
) -> None:
    ok(greeting.run())
    ok(greeting.run("gc"))
    assert blob_of(greeting, "greet").exists() and blob_of(greeting, "greet", "libs").exists()
    blob_of(greeting, "greet").unlink()
    listed(greeting)
    ran = ok(greeting.run())
    assert ran.built == ["greet"]
    assert f"/{PROGRAM}" in paths(greeting)


def test_a_need_that_nothing_is_linked_with_is_told_whenever_the_image_is_made(
    greeting: Project,
) -> None:
    assert "note: " not in ok(greeting.run()).text
    greeting.edit("packages/alone/recipe.py", "    \n)", '    needs=("lonely",),\n)')
    greeting.library("lonely", "int lone(void) { return 1; }\n", "int lone(void);\n")
    ran = ok(greeting.run())
    (line,) = (line for line in ran.text.splitlines() if line.startswith("note: "))
    assert line.startswith("note: lonely is in the image because of `needs` of alone, and nothing")
    assert "note: " not in ok(greeting.run()).text
    (greeting.folder / "rootfs/etc/motd").write_text("other\n")
    assert "note: lonely is in" in ok(greeting.run()).text
    greeting.edit("packages/alone/recipe.py", 'needs=("lonely",)', 'runtime=("lonely",)')
    assert "note: " not in ok(greeting.run()).text
