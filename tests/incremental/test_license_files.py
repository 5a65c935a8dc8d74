"""Licence files: looked for in every source, hashed into the record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from incremental.project import Project
from incremental.test_bad_input import left_nothing, refused

MIT = hashlib.sha256(b"MIT\n").hexdigest()


def record(project: Project, name: str) -> dict[str, str | None]:
    text = (project.folder / f"out/tiny/units/{name}.record.json").read_text()
    found: dict[str, str | None] = json.loads(text)["licenses"]
    return found


def log(project: Project, name: str) -> str:
    return (project.folder / f"out/tiny/logs/{name}.log").read_text()


def name_files(project: Project, *files: str) -> None:
    listed = ", ".join(f'"{file}"' for file in files)
    project.edit("packages/alone/recipe.py", '["COPYING"]', f"[{listed}]")


def test_the_record_has_the_hash_of_each_file(greeting: Project) -> None:
    assert greeting.run("alone").status == 0
    assert record(greeting, "alone") == {"COPYING": MIT}


def test_a_file_that_upstreams_archive_lacks_is_an_error_before_anything_is_compiled(
    greeting: Project,
) -> None:
    name_files(greeting, "COPYING.LIB", "COPYING", "doc/NOTICE")
    lines = ("COPYING.LIB is not in the source; similar names: COPYING", "doc/NOTICE is not in the")
    refused(greeting.run("alone"), "license-file-missing", "alone 1: ", *lines)
    left_nothing(greeting, "alone")
    assert "==> build" not in log(greeting, "alone")
    assert (greeting.folder / "out/tiny/work/alone/src/COPYING").is_file()


def test_another_list_of_files_is_looked_at_when_the_package_was_built(greeting: Project) -> None:
    assert greeting.run("alone").status == 0
    name_files(greeting, "COPYING", "alone.c")
    ran = greeting.run("alone")
    assert ran.built == ["alone"]
    assert ran.summary["built"][0]["why"] == ["licenses: COPYING -> COPYING alone.c"]
    assert set(record(greeting, "alone")) == {"COPYING", "alone.c"}


def test_another_archive_of_the_release_may_lack_one_and_the_record_says_so(
    greeting: Project,
) -> None:
    name_files(greeting, "COPYING", "NOTICE")
    path = Path(greeting.sources / "alone-1.tar.xz")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    other = f'alternates=(Alternate("{path.as_uri()}", sha256="{sha256}", differs="x"),),'
    recipe = "packages/alone/recipe.py"
    greeting.edit(recipe, f'"{path.as_uri()}", sha256="{sha256}"', '"file:///none", sha256="SHA"')
    greeting.edit(recipe, "SHA", "0" * 64)
    greeting.edit(recipe, 'provenance="made by the test"', f'provenance="x", {other}')
    greeting.edit(recipe, "import Install", "import Alternate, Install")
    ran = greeting.run("alone")
    assert ran.status == 0, ran.text
    assert record(greeting, "alone") == {"COPYING": MIT, "NOTICE": None}
    assert "==> licence: the source lacks NOTICE\n" in log(greeting, "alone")


def test_a_local_tree_may_lack_one(greeting: Project) -> None:
    tree = greeting.folder.parent / "tree"
    tree.mkdir()
    (tree / "alone.c").write_text("int main(void) { return 0; }\n")
    (tree / "Makefile").write_text("alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ $<\n")
    ran = greeting.run("alone", f"override.alone={tree}")
    assert ran.status == 0, ran.text
    assert record(greeting, "alone") == {"COPYING": None}
