"""Kernel options that packages rely on: what is added, what is met, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from quard.base.errors import QuardError
from quard.model import Adds, Custom, Feature, Permission
from quard.plan.kernel import Options, of_recipe, relied

ONE: Options = (("ssh", "SECCOMP_FILTER"),)


def added(
    options: Options, below: str = "", above: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    return relied("linux", options, {"linux.fragment": below}, above or {})


def refused(options: Options, above: Mapping[str, str] | None = None) -> str:
    with pytest.raises(QuardError) as caught:
        added(options, above=above)
    assert caught.value.reason == "kernel-option-conflict"
    return caught.value.detail


def test_an_option_that_no_text_has_is_added() -> None:
    assert added(ONE) == ("SECCOMP_FILTER",)
    assert added((("a", "B=y"), ("a", "A=n"))) == ("A=n", "B=y")


@pytest.mark.parametrize("value", ["y", "m"])
@pytest.mark.parametrize("place", ["below", "above"])
def test_an_option_that_a_text_satisfies_is_not_added(value: str, place: str) -> None:
    line = f"CONFIG_SECCOMP_FILTER={value}\n"
    assert (added(ONE, line) if place == "below" else added(ONE, "", {"b": line})) == ()


@pytest.mark.parametrize(
    ("option", "line", "met"),
    [
        ("A=y", "CONFIG_A=y", True),
        ("A=y", "CONFIG_A=m", False),
        ("A=n", "# CONFIG_A is not set", True),
        ("A=n", "CONFIG_A=n", True),
        ("A=n", "CONFIG_A=y", False),
        ("A", "CONFIG_A=n", False),
        ("A", "# CONFIG_A is not set", False),
        ("A", "CONFIG_AB=y", False),
        ("A", "CONFIG_B_A=y", False),
        ("A", "# CONFIG_A=y", False),
        ("A", "  CONFIG_A=y  ", True),
    ],
)
def test_a_line_of_the_recipes_fragments_satisfies_or_is_overridden(
    option: str, line: str, met: bool
) -> None:
    assert added((("p", option),), f"CONFIG_Z=y\n{line}\n") == (() if met else (option,))


def test_the_last_line_about_an_option_counts_and_the_boards_come_after_the_recipes() -> None:
    assert added(ONE, "# CONFIG_SECCOMP_FILTER is not set\nCONFIG_SECCOMP_FILTER=y\n") == ()
    above = {"one": "# CONFIG_SECCOMP_FILTER is not set", "two": "CONFIG_SECCOMP_FILTER=m"}
    assert added(ONE, "# CONFIG_SECCOMP_FILTER is not set", above) == ()


@pytest.mark.parametrize("line", ["# CONFIG_SECCOMP_FILTER is not set", "CONFIG_SECCOMP_FILTER=n"])
def test_a_board_that_has_an_option_off_is_refused_with_its_file_and_the_packages(
    line: str,
) -> None:
    options = (*ONE, ("browser", "SECCOMP_FILTER"))
    assert refused(options, {"configs/lean.fragment": line}) == (
        "CONFIG_SECCOMP_FILTER=y or m: browser, ssh; configs/lean.fragment: CONFIG_SECCOMP_FILTER=n"
    )


def test_a_module_does_not_satisfy_a_package_that_needs_the_option_built_in() -> None:
    detail = refused((("boot", "VIRTIO=y"),), {"b": "CONFIG_VIRTIO=m"})
    assert detail == "CONFIG_VIRTIO=y: boot; b: CONFIG_VIRTIO=m"


def test_packages_that_contradict_each_other_are_all_named() -> None:
    options = (("a", "X"), ("b", "X=n"), ("c", "X=y"), ("a", "Y=n"), ("b", "Y"))
    assert refused(options).splitlines() == [
        "CONFIG_X=y or m: a; CONFIG_X=n: b; CONFIG_X=y: c",
        "CONFIG_Y=y or m: b; CONFIG_Y=n: a",
    ]


def test_of_built_in_and_either_built_in_is_wanted() -> None:
    assert added((("a", "X"), ("b", "X=y")), "CONFIG_X=m") == ("X=y",)


PLAIN = Permission("/bin/x", "4755")
CAPABLE = Permission("/bin/x", "0755", capabilities="cap_net_raw+ep")
LABELLED = Permission("/bin/x", "0755", xattrs=(("security.selinux", "x"),))
MARKED = Permission("/bin/x", "0755", xattrs=(("user.origin", "x"),))
FORMATS = ("ext4", "squashfs", "cpio.gz")


def of_permissions(*rows: Permission, formats: tuple[str, ...] = FORMATS) -> list[str]:
    recipe = Custom(summary="x", version="1", license="MIT", permissions=rows)
    found = [*of_recipe("web", recipe, dict, formats)]
    assert {name for name, _ in found} <= {"web"}
    return [option for _, option in found]


@pytest.mark.parametrize("row", [CAPABLE, LABELLED])
def test_attributes_of_security_rely_on_options_of_the_roots_formats(row: Permission) -> None:
    assert of_permissions(row, formats=("ext4",)) == ["EXT4_FS_SECURITY"]
    assert of_permissions(row, formats=("squashfs",)) == ["SQUASHFS_XATTR", "TMPFS_XATTR"]
    assert sorted(of_permissions(row, row)) == ["EXT4_FS_SECURITY", "SQUASHFS_XATTR", "TMPFS_XATTR"]


def test_attributes_of_users_are_in_every_ext4() -> None:
    assert of_permissions(MARKED) == ["SQUASHFS_XATTR", "TMPFS_XATTR"]
    assert of_permissions(MARKED, formats=("ext4",)) == []


def test_owners_and_modes_rely_on_no_option() -> None:
    assert of_permissions(PLAIN) == of_permissions() == []
    assert (
        of_permissions(CAPABLE, formats=()) == of_permissions(CAPABLE, formats=("cpio.gz",)) == []
    )


@pytest.mark.parametrize("on", [True, False])
def test_what_a_feature_adds_counts_while_it_is_on(on: bool) -> None:
    feature = Feature("raw", "x", on=(), off=(), kernel=("NET",), adds=Adds(permissions=(CAPABLE,)))
    recipe = Custom(summary="x", version="1", license="MIT", kernel=("INET",), features=(feature,))
    found = [option for _, option in of_recipe("web", recipe, lambda: {"raw": on}, ("ext4",))]
    assert found == (["INET", "NET", "EXT4_FS_SECURITY"] if on else ["INET"])
