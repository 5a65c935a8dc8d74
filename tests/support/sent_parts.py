"""A program with all that a job may have: an archive, a patch, an executable file, a dependency."""

from __future__ import annotations

from incremental.project import Project

_PATCH = "--- a/hello.c\n+++ b/hello.c\n@@ -1 +1 @@\n-#include <greet.h>\n+#include <greet.h> \n"
_GENERATE = "#!/bin/sh\necho '#define MADE 1'\n"
_CODE = '#include <greet.h>\n#include "made.h"\nint main(void) { return greet() - 41 - MADE; }\n'
_MAKEFILE = """\
hello: hello.c
\t$(FILES)/made > made.h
\t$(CC) $(CFLAGS) -o $@ hello.c -lgreet
"""


def give(greeting: Project, more: str = "") -> None:
    """Let the program `hello` be this one.

    more -- further lines of its rule
    """
    greeting.source("hello", {"Makefile": _MAKEFILE + more, "hello.c": _CODE})
    greeting.edit(
        "packages/hello/recipe.py", '"CC={cross}gcc",', '"CC={cross}gcc", "FILES={files}",'
    )
    folder = greeting.recipe("hello").parent
    (folder / "0001-space.patch").write_text(_PATCH)
    (folder / "made").write_text(_GENERATE)
    (folder / "made").chmod(0o755)
