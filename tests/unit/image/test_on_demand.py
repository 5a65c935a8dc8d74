"""Libraries on demand: those that a file is linked with stay, and those that a link names."""

from __future__ import annotations

import pytest

from quard.image.on_demand import drop_unneeded
from quard.image.tree import Node, Origin, Tree

LIBC = Origin("package", "libc")
ON_DEMAND = tuple(("libc", f"usr/lib/{name}.so") for name in ("atomic", "m", "stdc++"))
LINKS = {
    "usr/bin/tool": {"usr/lib/c.so"},
    "usr/lib/stdc++.so": {"usr/lib/m.so", "usr/lib/c.so"},
    "usr/lib/m.so": {"usr/lib/c.so"},
}


def tree() -> Tree:
    """Return an image with a program, libc and three libraries that are on demand."""
    found = Tree()
    found.add("usr/bin/tool", Node("file", 0o755), Origin("package", "tool"))
    for path in ("usr/lib/c.so", *(path for _, path in ON_DEMAND)):
        found.add(path, Node("file", 0o755), LIBC)
    return found


def left(tree: Tree, links: dict[str, set[str]]) -> list[str]:
    drop_unneeded(tree, ON_DEMAND, links)
    assert tree.owners.keys() == tree.nodes.keys() == tree.packages.keys()
    return sorted(path.removeprefix("usr/lib/") for path in tree.nodes if "lib" in path)


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("c", ["c.so"]),
        ("m", ["c.so", "m.so"]),
        ("stdc++", ["c.so", "m.so", "stdc++.so"]),
        ("atomic", ["atomic.so", "c.so"]),
    ],
)
def test_what_a_program_needs_stays_with_all_that_this_needs(
    needs: str, expected: list[str]
) -> None:
    assert left(tree(), {**LINKS, "usr/bin/tool": {f"usr/lib/{needs}.so"}}) == expected


def test_libraries_that_need_each_other_keep_nobody() -> None:
    links = {**LINKS, "usr/lib/m.so": {"usr/lib/atomic.so"}, "usr/lib/atomic.so": {"usr/lib/m.so"}}
    assert left(tree(), links) == ["c.so"]


def test_what_a_link_names_stays() -> None:
    found = tree()
    found.add("usr/lib/plugin", Node("link", 0o777, target="chain"), Origin("package", "tool"))
    found.add("usr/lib/chain", Node("link", 0o777, target="stdc++.so"), Origin("package", "tool"))
    drop_unneeded(found, ON_DEMAND, LINKS)
    assert {"usr/lib/stdc++.so", "usr/lib/m.so"} <= found.nodes.keys()
    assert "usr/lib/atomic.so" not in found.nodes


def test_what_an_overlay_or_a_script_has_put_there_stays() -> None:
    found = tree()
    found.add("usr/lib/m.so", Node("file", 0o755), Origin("overlay", "rootfs"))
    found.change("usr/lib/atomic.so", Node("file", 0o755), Origin("hook", "hooks/x.sh"))
    drop_unneeded(found, ON_DEMAND, LINKS)
    assert {"usr/lib/m.so", "usr/lib/atomic.so"} <= found.nodes.keys()
    assert "usr/lib/stdc++.so" not in found.nodes


def test_a_board_without_the_package_loses_nothing() -> None:
    found = Tree()
    found.add("usr/lib/m.so", Node("file", 0o755), Origin("package", "own"))
    drop_unneeded(found, ON_DEMAND, {})
    assert "usr/lib/m.so" in found.nodes
