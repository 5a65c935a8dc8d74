"""What others wrote reaches the terminal as plain text, end to end."""

from __future__ import annotations

import hashlib
import re
import tarfile

from incremental.project import Project

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def test_names_of_an_archive_reach_no_terminal_raw(greeting: Project) -> None:
    name = "\x1b]0;owned\x07\nreason: fake\u202e"
    path = greeting.sources / "greet-1.tar.xz"
    with tarfile.open(path, "w:xz") as tar:
        info = tarfile.TarInfo(f"greet-1/{name}")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    text = greeting.recipe("greet").read_text()
    greeting.recipe("greet").write_text(re.sub('sha256="[0-9a-f]+"', f'sha256="{old}"', text))
    ran = greeting.run()
    assert ran.status == 2
    assert not CONTROLS.search(ran.text)
    assert r"\x1b]0;owned\x07\nreason: fake\u202e" in ran.err
    assert [line for line in ran.err.splitlines() if line.startswith("reason:")] == [
        "reason: unsafe-archive"
    ]


def test_the_end_of_a_log_reaches_no_terminal_raw(greeting: Project) -> None:
    line = r"'\033[31mred\033[0m \033]0;owned\007 \302\233'"
    greeting.edit(
        "packages/greet/recipe.py",
        "    \n)",
        f'prepare=(Run("printf", {line!r}), Run("false")),\n)',
    )
    greeting.edit("packages/greet/recipe.py", "import Install", "import Run, Install")
    ran = greeting.run()
    assert ran.status == 2
    assert not CONTROLS.search(ran.text)
    assert r"red \x1b]0;owned\x07 \x9b" in ran.err


def test_texts_of_recipes_and_boards_reach_no_terminal_raw(greeting: Project) -> None:
    greeting.edit("packages/greet/recipe.py", "a library", r"a \x1b[2Jlibrary")
    greeting.edit("packages/hello/recipe.py", "a program", r"a \x9b2Jprogram")
    for words in (("list",), ("list", "FORMAT=json"), ("info", "greet"), ("info", "hello")):
        ran = greeting.run(*words)
        assert ran.status == 0, ran.text
        assert not CONTROLS.search(ran.text)
    greeting.board(["libc"], more='a = "\\u001b[2J\\nreason: fake"')
    ran = greeting.run()
    assert ran.status == 2
    assert not CONTROLS.search(ran.text)
    greeting.board(["libc"], more='"\\u001b[2J\\nreason: fake" = 1')
    ran = greeting.run()
    assert ran.status == 2
    assert not CONTROLS.search(ran.text)
    assert ran.err.count("\nreason: ") == 1
