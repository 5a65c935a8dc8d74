"""CVE numbers that patches fix are in the manifest of an image."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incremental.project import Project, ok

PATCH = """\
the answer is one more

--- a/greet.c
+++ b/greet.c
@@ -1,2 +1,2 @@
 #include "greet.h"
-int greet(void) { return 42; }
+int greet(void) { return 43; }
"""
RECIPE = "packages/greet/recipe.py"


@pytest.fixture
def patched(greeting: Project) -> Project:
    """The project `greeting`, whose library has a patch."""
    (greeting.folder / "packages/greet/0001-one-more.patch").write_text(PATCH)
    return greeting


def fix(project: Project, *numbers: str) -> None:
    text = (project.folder / RECIPE).read_text()
    kept = [line for line in text.splitlines(keepends=True) if "fixes=" not in line]
    at = next(i for i, line in enumerate(kept) if "license=" in line)
    kept.insert(at, f"    fixes={[*numbers]},\n")
    (project.folder / RECIPE).write_text("".join(kept))


def manifest(project: Project) -> dict[str, Any]:
    path = project.folder / "out/tiny/images/manifest.json"
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_they_are_listed_by_package_and_rebuild_no_package_and_no_file_system(
    patched: Project,
) -> None:
    ok(patched.run())
    before = manifest(patched)
    assert "fixes" not in before
    fix(patched, "CVE-2026-20002", "CVE-2026-10001")
    assert (
        "the CVE numbers that patches of its packages fix changed\n" in ok(patched.run("why")).out
    )
    ran = ok(patched.run())
    assert (ran.built, ran.summary["images"]) == ([], ["rootfs.tar"])
    found = manifest(patched)
    assert found.pop("fixes") == {"greet": ["CVE-2026-10001", "CVE-2026-20002"]}
    assert found == before
    fix(patched)
    ok(patched.run())
    assert manifest(patched) == before


def test_a_local_tree_is_not_patched_and_fixes_nothing(patched: Project) -> None:
    fix(patched, "CVE-2026-10001")
    tree = patched.folder.parent / "checkout"
    tree.mkdir()
    (tree / "greet.h").write_text("int greet(void);\n")
    (tree / "greet.c").write_text('#include "greet.h"\nint greet(void) { return 42; }\n')
    rule = "$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libgreet.so.1 -o $@ greet.c"
    (tree / "Makefile").write_text(f"libgreet.so.1: greet.c greet.h\n\t{rule}\n")
    ok(patched.run(f"override.greet={tree}"))
    assert "fixes" not in manifest(patched)
