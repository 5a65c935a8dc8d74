from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from quard.image.content import Content
from quard.image.tree import Node, Origin, Tree

ONE, TWO = Origin("package", "one"), Origin("package", "two")
OVER, LATER = Origin("overlay", "rootfs"), Origin("overlay", "site")
SYSTEM = Origin("system", "system")


def file(data: bytes = b"x") -> Node:
    return Node("file", 0o644, content=Content(len(data), data))


def folder(mode: int = 0o755) -> Node:
    return Node("directory", mode)


def link(target: str) -> Node:
    return Node("link", 0o777, target=target)


def tree(*entries: tuple[str, Node, Origin]) -> Tree:
    made = Tree()
    for path, node, origin in entries:
        made.add(path, node, origin)
    return made


def refused(*entries: tuple[str, Node, Origin]) -> QuardError:
    with pytest.raises(QuardError) as caught:
        for error in tree(*entries).complete():
            raise error
    return caught.value


def test_two_packages_at_one_path_are_named_even_with_equal_content() -> None:
    error = refused(("usr/bin/x", file(), ONE), ("usr/bin/x", file(), TWO))
    assert error.reason == "file-collision"
    assert error.message == "/usr/bin/x is installed by package one and by package two"


def test_overlay_replaces_a_package_and_an_overlay_before_it() -> None:
    last = file(b"last")
    made = tree(("etc/x", file(), ONE), ("etc/x", file(), OVER), ("etc/x", last, LATER))
    assert made.nodes["etc/x"] is last
    assert made.owners["etc/x"] == LATER
    assert made.replaced == {"etc/x": "one"}


def test_link_may_take_the_place_of_a_file_in_an_overlay() -> None:
    assert tree(("etc/x", file(), ONE), ("etc/x", link("y"), OVER)).replaced == {"etc/x": "one"}


def test_overlay_cannot_replace_what_the_tables_make() -> None:
    error = refused(("etc/passwd", file(), SYSTEM), ("etc/passwd", file(), OVER))
    assert error.reason == "file-collision"
    assert "the system and by overlay rootfs" in error.message
    assert "table" in error.hint


def test_folders_of_two_packages_are_one() -> None:
    made = tree(("usr/share", folder(), ONE), ("usr/share", folder(), TWO))
    assert made.packages["usr/share"] == {"one", "two"}


@pytest.mark.parametrize("modes", [(0o755, 0o700), (0o700, 0o755), (0o700, 0o700)])
def test_folder_mode_that_says_something_wins(modes: tuple[int, int]) -> None:
    made = tree(("var/x", folder(modes[0]), ONE), ("var/x", folder(modes[1]), TWO))
    assert made.nodes["var/x"].mode == 0o700


def test_two_different_folder_modes_collide() -> None:
    error = refused(("var/x", folder(0o700), ONE), ("var/x", folder(0o750), TWO))
    assert error.reason == "file-collision"
    assert error.detail == "modes 0700 and 0750"


def test_overlays_folder_leaves_the_packages_mode() -> None:
    assert tree(("var/x", folder(0o700), ONE), ("var/x", folder(), OVER)).nodes["var/x"].mode == (
        0o700
    )


@pytest.mark.parametrize("second", [OVER, TWO])
def test_file_in_the_place_of_a_folder_collides(second: Origin) -> None:
    error = refused(("etc/x", folder(), ONE), ("etc/x", file(), second))
    assert error.reason == "file-collision"
    assert "directory" in error.detail


def test_folder_where_the_merged_link_is_names_the_right_place() -> None:
    error = refused(("bin", link("usr/bin"), SYSTEM), ("bin", folder(), ONE))
    assert error.reason == "parent-not-folder"
    assert "usr/bin" in error.hint


def test_file_below_a_link_names_the_right_place() -> None:
    error = refused(("bin", link("usr/bin"), SYSTEM), ("bin/x", file(), ONE))
    assert error.reason == "parent-not-folder"
    assert error.message == "package one installs /bin/x, but /bin is a link to usr/bin"
    assert "usr/bin" in error.hint


def test_file_below_a_file_is_refused() -> None:
    assert refused(("a", file(), ONE), ("a/b", file(), TWO)).reason == "parent-not-folder"


def test_folders_nobody_named_are_added_for_the_owner_of_what_is_in_them() -> None:
    made = tree(("usr/share/x/y", file(), ONE))
    assert list(made.complete()) == []
    assert made.nodes["usr/share/x"].mode == 0o755
    assert made.owners["usr"] == ONE


@pytest.mark.parametrize("name", ["a\nb", "a/../b", "a//b", "./a", "a\udcff", "", "a\x7f"])
def test_odd_names_are_refused(name: str) -> None:
    assert refused((name, file(), ONE)).reason == "bad-file-name"


def test_names_of_other_scripts_are_fine() -> None:
    assert "etc/ž üñ" in tree(("etc/ž üñ", file(), ONE)).nodes


LINKS = tree(
    ("bin", link("usr/bin"), SYSTEM),
    ("usr/bin/sh", link("../../bin/bash"), ONE),
    ("usr/bin/bash", file(), ONE),
    ("abs", link("/bin/sh"), ONE),
    ("up", link("../../../../usr"), ONE),
    ("loop", link("loop2"), ONE),
    ("loop2", link("loop"), ONE),
)


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("/bin/sh", "usr/bin/bash"),
        ("abs", "usr/bin/bash"),
        ("up/bin/./bash", "usr/bin/bash"),
        ("bin/none", "usr/bin/none"),
        ("", ""),
    ],
)
def test_links_are_followed_as_on_the_target(path: str, end: str) -> None:
    assert LINKS.resolve(path) == end


def test_circle_of_links_is_refused() -> None:
    with pytest.raises(QuardError) as caught:
        LINKS.resolve("loop")
    assert caught.value.reason == "link-loop"


def test_merged_folders_have_one_name() -> None:
    assert LINKS.canonical("/bin/sh") == "usr/bin/sh"
    assert LINKS.canonical("/bin") == "bin"
    assert LINKS.canonical("/lib/x") == "lib/x"


@pytest.mark.parametrize("name", ["a\u00a0b", "\u3000", "family \U0001f469\u200d\U0001f467"])
def test_names_with_spaces_and_joiners_of_any_script_are_fine(name: str) -> None:
    made = tree((f"etc/{name}", file(), OVER), ("etc/link", link(name), OVER))
    assert f"etc/{name}" in made.nodes
    assert made.nodes["etc/link"].target == name


@pytest.mark.parametrize("target", ["a\nb", "a\x1b", "\udcff"])
def test_link_to_an_odd_name_is_refused(target: str) -> None:
    error = refused(("etc/x", link(target), OVER))
    assert error.reason == "bad-file-name"
    assert "/etc/x" in error.message and target not in error.message


def test_a_long_target_is_told_in_short() -> None:
    error = refused(("a", link("t" * 4000), OVER), ("a/b", file(), ONE))
    assert error.reason == "parent-not-folder"
    assert len(error.block()) < 800
