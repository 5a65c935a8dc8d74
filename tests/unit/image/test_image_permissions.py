from __future__ import annotations

from pathlib import Path

import image_parts
import pytest

from quard.base.errors import QuardError
from quard.image.accounts import Account, Accounts, Group
from quard.image.content import Content
from quard.image.only_needed import OnlyNeeded
from quard.image.permissions import apply, unused
from quard.image.system import Access
from quard.image.tree import Node, Origin, Tree
from quard.model import Permission

PEOPLE = Accounts(
    (Account("root", 0, 0, "/", "/x", "", "*"), Account("web", 80, 80, "/", "/x", "", "*")),
    (Group("root", 0, ()), Group("web", 80, ())),
)
ONE, TWO = Origin("package", "one"), Origin("package", "two")


@pytest.fixture
def tree() -> Tree:
    made = Tree()
    made.add("bin", Node("link", 0o777, target="usr/bin"), Origin("system", "system"))
    for path, origin in (
        ("usr/bin/su", ONE),
        ("usr/bin/sudo", TWO),
        ("usr/bin/x/sub", ONE),
        ("etc/conf", Origin("overlay", "rootfs")),
    ):
        made.add(path, Node("file", 0o755, content=Content(1, b"x")), origin)
    made.add("usr/bin/sulink", Node("link", 0o777, target="su"), ONE)
    assert list(made.complete()) == []
    return made


def refused(tree: Tree, *wanted: tuple[str, Permission]) -> QuardError:
    with pytest.raises(QuardError) as caught:
        apply(tree, PEOPLE, wanted, ())
    return caught.value


def modes(tree: Tree) -> dict[str, int]:
    return {path: node.mode for path, node in tree.nodes.items() if node.kind == "file"}


def test_owner_group_and_mode_are_set(tree: Tree) -> None:
    apply(tree, PEOPLE, [("one", Permission("/usr/bin/su", "4750", "root", "web"))], ())
    node = tree.nodes["usr/bin/su"]
    assert (node.mode, node.uid, node.gid) == (0o4750, 0, 80)


def test_wildcard_stays_within_its_folder_its_package_and_off_links(tree: Tree) -> None:
    apply(tree, PEOPLE, [("one", Permission("/usr/bin/su*", "4755"))], ())
    assert modes(tree) == {
        "usr/bin/su": 0o4755,
        "usr/bin/sudo": 0o755,
        "usr/bin/x/sub": 0o755,
        "etc/conf": 0o755,
    }
    assert tree.nodes["usr/bin/sulink"].mode == 0o777


def test_merged_path_reaches_the_file(tree: Tree) -> None:
    apply(tree, PEOPLE, [("one", Permission("/bin/s[u]", "4755"))], ())
    assert tree.nodes["usr/bin/su"].mode == 0o4755


def test_package_reaches_files_of_overlays(tree: Tree) -> None:
    apply(tree, PEOPLE, [("one", Permission("/etc/conf", "0600", "web"))], ())
    assert tree.nodes["etc/conf"].uid == 80


def test_package_still_reaches_its_file_that_an_overlay_replaced(tree: Tree) -> None:
    tree.add("usr/bin/su", Node("file", 0o755), Origin("overlay", "rootfs"))
    apply(tree, PEOPLE, [("one", Permission("/usr/bin/su", "4755"))], ())
    assert tree.nodes["usr/bin/su"].mode == 0o4755


def test_system_has_the_last_word(tree: Tree) -> None:
    wanted = [("one", Permission("/usr/bin/su", "4755"))]
    apply(tree, PEOPLE, wanted, [("/usr/bin/su*", Access(0o700, "web", "root"))])
    assert modes(tree)["usr/bin/su"] == modes(tree)["usr/bin/sudo"] == 0o700


@pytest.mark.parametrize("path", ["/usr/bin/none", "/usr/bin/z*", "/usr/bin/sulink", "/usr/*.c"])
def test_permission_for_nothing_is_refused(tree: Tree, path: str) -> None:
    error = refused(tree, ("one", Permission(path, "0755")))
    assert error.reason == "permission-unused"
    assert path in error.message
    assert "package one" in error.message


def test_permission_for_another_packages_file_is_refused(tree: Tree) -> None:
    assert refused(tree, ("one", Permission("/usr/bin/sudo", "0755"))).reason == "permission-unused"


def test_a_folder_with_files_of_other_packages_alone_is_theirs(tree: Tree) -> None:
    row = Permission("/usr/bin/x", "0700")
    error = refused(tree, ("two", row))
    assert error.message.endswith("is for /usr/bin/x, which only other packages install")
    apply(tree, PEOPLE, [("one", row)], ())
    assert tree.nodes["usr/bin/x"].mode == 0o700
    tree.add("usr/bin/x/more", Node("file", 0o644), Origin("overlay", "rootfs"))
    apply(tree, PEOPLE, [("two", row)], ())


def test_a_missing_path_gets_a_suggestion_from_the_packages_own(tree: Tree) -> None:
    assert refused(tree, ("one", Permission("/sbin/s", "0755"))).hint == (
        "did you mean '/usr/bin/su'?"
    )
    assert refused(tree, ("two", Permission("/sbin/sud", "0755"))).hint == (
        "did you mean '/usr/bin/sudo'?"
    )
    with pytest.raises(QuardError) as caught:
        apply(tree, PEOPLE, (), [("/etc/config", Access(0o700, "root", "root"))])
    assert caught.value.hint == "did you mean '/etc/conf'?"


def test_a_package_is_checked_without_the_others(tree: Tree) -> None:
    rows = [Permission(path, "0755") for path in ("/usr/bin/su*", "/etc/conf", "/etc/cnf", "/n*")]
    rows.append(Permission("/usr/lib/modules/6.1/modules.dep", "0644"))
    found = [error.message for error in unused(tree, "one", rows)]
    assert found == [
        "a permission of package one is for /etc/cnf, which is not in the image",
        "a permission of package one is for /n*, which is not in the image",
    ]


def test_systems_permission_for_nothing_is_refused(tree: Tree) -> None:
    with pytest.raises(QuardError) as caught:
        apply(tree, PEOPLE, (), [("/none", Access(0o700, "root", "root"))])
    assert caught.value.reason == "permission-unused"
    assert "system's table" in caught.value.message


def test_unknown_owner_and_bad_mode_are_refused(tree: Tree) -> None:
    error = refused(tree, ("one", Permission("/usr/bin/su", "0755", "wbe")))
    assert (error.reason, error.hint) == ("unknown-user", "did you mean 'web'?")
    assert refused(tree, ("one", Permission("/usr/bin/su", "u+s"))).reason == "bad-mode"


def test_a_package_without_its_programs_may_name_files_that_are_not_there(
    tree: Tree, tmp_path: Path
) -> None:
    wanted = [
        ("one", Permission("/usr/bin/gone", "4755")),
        ("one", Permission("/usr/bin/su", "4750")),
    ]
    blob = image_parts.blob(tmp_path / "programs.tar", {"usr/bin/gone": b"x"})
    one, two = (OnlyNeeded({(name, "programs"): lambda: blob}) for name in ("one", "two"))
    assert apply(tree, PEOPLE, wanted, (), needed=one) == {"usr/bin/su"}
    assert tree.nodes["usr/bin/su"].mode == 0o4750
    with pytest.raises(QuardError) as caught:
        apply(tree, PEOPLE, wanted, (), needed=two)
    assert caught.value.reason == "permission-unused"
    for path, helps in (("/bin/gone", True), ("/usr/*/g[o]ne", True), ("/usr/bin/else", False)):
        row = (path, Access(0o755, "root", "root"))
        with pytest.raises(QuardError) as caught:
            apply(tree, PEOPLE, (), [row], needed=one)
        assert caught.value.reason == "permission-unused"
        assert caught.value.hint.startswith("one has it, ") is helps
