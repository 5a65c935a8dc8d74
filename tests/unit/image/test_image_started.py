"""Programs that start scripts of services run."""

from __future__ import annotations

import pytest

from quard.image.content import Content
from quard.image.started import errors
from quard.image.tree import Node, Origin, Tree

SCRIPT = "etc/init.d/S50web"


def made(mode: int = 0o755) -> Tree:
    tree, owner = Tree(), Origin("package", "web")
    tree.add(SCRIPT, Node("file", 0o755, content=Content(1, b"x")), owner)
    tree.add("usr/bin/web", Node("file", mode, content=Content(1, b"x")), owner)
    tree.add("usr/bin/alias", Node("link", 0o777, target="web"), owner)
    tree.add("usr/bin/loop", Node("link", 0o777, target="loop"), owner)
    return tree


@pytest.mark.parametrize("program", ["/usr/bin/web", "/usr/bin/alias", "/usr/bin/loop"])
def test_a_program_may_be_behind_a_link(program: str) -> None:
    assert [*errors(made(), [(SCRIPT, program)])] == []


@pytest.mark.parametrize(
    ("program", "mode", "fault"),
    [
        ("/usr/bin/wbe", 0o755, "is not in the image"),
        ("/usr/bin/web", 0o644, "is no program"),
        ("/usr/bin/alias", 0o644, "is no program"),
    ],
)
def test_what_the_guest_could_not_start_is_an_error(program: str, mode: int, fault: str) -> None:
    (error,) = errors(made(mode), [(SCRIPT, program)])
    assert error.reason == "service-program"
    assert error.message == f"{program}, which /{SCRIPT} of package web starts, {fault}"


def test_a_script_of_an_overlay_or_none_runs_what_it_likes() -> None:
    tree = made()
    tree.add(SCRIPT, Node("file", 0o755, content=Content(1, b"y")), Origin("overlay", "rootfs"))
    assert [*errors(tree, [(SCRIPT, "/no"), ("etc/init.d/S51gone", "/no")])] == []
