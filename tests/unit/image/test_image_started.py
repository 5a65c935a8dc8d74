"""Programs that start scripts of services run."""

from __future__ import annotations

import pytest

from quard.image.accounts import Account, Accounts
from quard.image.content import Content
from quard.image.started import errors, strangers
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
    assert [*errors(made(), [(SCRIPT, program, "root")])] == []


@pytest.mark.parametrize(
    ("program", "mode", "fault"),
    [
        ("/usr/bin/wbe", 0o755, "is not in the image"),
        ("/usr/bin/web", 0o644, "is no program"),
        ("/usr/bin/alias", 0o644, "is no program"),
    ],
)
def test_what_the_guest_could_not_start_is_an_error(program: str, mode: int, fault: str) -> None:
    (error,) = errors(made(mode), [(SCRIPT, program, "root")])
    assert error.reason == "service-program"
    assert error.message == f"{program}, which /{SCRIPT} of package web starts, {fault}"


@pytest.mark.parametrize(
    ("program", "hint"),
    [
        ("/usr/bin/wbe", "did you mean '/usr/bin/web'?"),
        ("/usr/sbin/alias", "did you mean '/usr/bin/alias'?"),
        ("/usr/bin/another", "correct `run` of the service"),
    ],
)
def test_the_program_that_may_be_meant_is_named(program: str, hint: str) -> None:
    (error,) = errors(made(), [(SCRIPT, program, "root")])
    assert error.hint.startswith(hint)


ANY = [(SCRIPT, "/no", "nobody"), ("etc/init.d/S51gone", "/no", "nobody")]
PEOPLE = Accounts(
    users=tuple(Account(name, 0, 0, "/", "/bin/false", "", "*") for name in ("root", "www")),
    groups=(),
)


@pytest.mark.parametrize("user", ["root", "www"])
def test_a_program_runs_as_a_user_of_the_image(user: str) -> None:
    assert [*strangers(made(), [(SCRIPT, "/usr/bin/web", user)], PEOPLE)] == []


@pytest.mark.parametrize(
    ("user", "hint"), [("wwe", "did you mean 'www'?"), ("far-off", "add it to `users` of the")]
)
def test_a_user_that_the_image_does_not_have_is_an_error(user: str, hint: str) -> None:
    (error,) = strangers(made(), [(SCRIPT, "/usr/bin/web", user)], PEOPLE)
    assert error.reason == "unknown-user"
    assert error.message == (
        f"/{SCRIPT} of package web names the user {user!r}, which the image does not have"
    )
    assert error.detail == "known: root, www"
    assert error.hint.startswith(hint)


def test_a_script_of_an_overlay_or_none_runs_what_it_likes() -> None:
    tree = made()
    tree.add(SCRIPT, Node("file", 0o755, content=Content(1, b"y")), Origin("overlay", "rootfs"))
    assert [*errors(tree, ANY), *strangers(tree, ANY, PEOPLE)] == []
