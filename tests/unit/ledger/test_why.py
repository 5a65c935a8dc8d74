"""Why a package is built: each changed input is named, and nothing that did not change."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import plan_parts
import pytest

from quard.base.files import FileRef
from quard.ledger.why import reasons
from quard.model import Permission, User
from quard.plan.image import FileSystemPlan, RootfsPlan
from quard.plan.plan import Plan, RunStep
from quard.plan.unit import UnitPlan

PLAN = Plan(
    name="thing",
    version="1.0",
    triple="riscv64-linux-gnu",
    sources=("a" * 64, "b" * 64),
    patches=(FileRef("1.patch", "1" * 64),),
    files=(FileRef("x.fragment", "2" * 64),),
    features=(("fast", True), ("small", False)),
    needs=("libmnl",),
    links=("zlib",),
    tools=("bison",),
    env=(("A", "1"),),
    cflags="-O2",
    hardening=("pie", "relro"),
    further=(("data", "c" * 64),),
    folders=(("own", "d" * 64),),
    steps=(
        RunStep("configure", ("./configure", "--with-x")),
        RunStep("build", ("make", "all")),
        RunStep("install", ("make", "install")),
    ),
    drop=("usr/share",),
    parts=(("libs", ("etc/x",)),),
)


def depends(
    plan: Plan = PLAN, *, toolchain: str = "7" * 64, interfaces: Any = None, **changes: Any
) -> dict[str, Any]:
    """Return what a build depends on, in the form that the packager hands over."""
    seen = {"libmnl": "5" * 64, "zlib": "6" * 64} if interfaces is None else interfaces
    return {
        "record": 1,
        "plan": plan.instructions(),
        "archive": "a" * 64,
        "by": {"toolchain": toolchain},
        "inputs": {f"{name}:interface": digest for name, digest in seen.items()},
        **changes,
    }


def after(plan: Plan = PLAN, **changes: Any) -> tuple[str, ...]:
    """Return the reasons of a build now, with the last one's inputs read back from a file."""
    return reasons(json.loads(json.dumps(depends())), depends(plan, **changes))


def changed(**fields: Any) -> tuple[str, ...]:
    return after(dataclasses.replace(PLAN, **fields))


def test_a_package_never_built_here_says_so() -> None:
    assert reasons(None, depends()) == ("it has not been built here before",)


def test_equal_inputs_give_no_reason_whatever_they_were_read_from() -> None:
    assert after() == ()
    assert reasons(depends(), depends()) == ()


FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "environment": ({"env": (("A", "2"),)}, "env: {'A': '1'} -> {'A': '2'}"),
    "version": ({"version": "1.1"}, "version: 1.0 -> 1.1"),
    "local tree": ({"tree": "d" * 64}, "built from a local source tree"),
    "feature": ({"features": (("fast", False), ("small", False))}, "feature fast: on -> off"),
    "new feature": (
        {"features": (("fast", True), ("new", True), ("small", False))},
        "feature new: absent -> on",
    ),
    "feature gone": ({"features": (("fast", True),)}, "feature small: off -> absent"),
    "patch": ({"patches": (FileRef("1.patch", "3" * 64),)}, "patch 1.patch changed"),
    "patch gone": ({"patches": ()}, "patch 1.patch removed"),
    "patch added": (
        {"patches": (*PLAN.patches, FileRef("2.patch", "3" * 64))},
        "patch 2.patch added",
    ),
    "file": ({"files": (FileRef("x.fragment", "3" * 64),)}, "file x.fragment changed"),
    "flags": ({"cflags": "-Os"}, "cflags: -O2 -> -Os"),
    "hardening": (
        {"hardening": ("fortify=2", "relro")},
        "hardening: pie relro -> fortify=2 relro",
    ),
    "no flags": ({"cflags": ""}, "cflags: -O2 -> none"),
    "needs": ({"needs": ()}, "needs: libmnl -> none"),
    "links": ({"links": ("a", "zlib")}, "links: zlib -> a zlib"),
    "tools": ({"tools": ("bison", "flex")}, "tools: bison -> bison flex"),
    "drop": ({"drop": ("usr/lib",)}, "drop: usr/share -> usr/lib"),
    "part": ({"parts": (("libs", ("etc/y", "z")),)}, "part libs: etc/x -> etc/y z"),
    "part gone": ({"parts": ()}, "part libs: etc/x -> none"),
    "triple": ({"triple": "x-y"}, "triple: riscv64-linux-gnu -> x-y"),
    "option": (
        {"steps": (RunStep("configure", ("./configure", "--with-y")), *PLAN.steps[1:])},
        "configure: - --with-x, + --with-y",
    ),
    "step gone": ({"steps": PLAN.steps[:2]}, "install: - install, - make"),
    "order": (
        {"steps": (RunStep("configure", ("--with-x", "./configure")), *PLAN.steps[1:])},
        "configure: the order of the commands changed",
    ),
}


@pytest.mark.parametrize(("fields", "reason"), FIELDS.values(), ids=FIELDS)
def test_a_changed_field_of_the_plan_is_the_one_reason(fields: dict[str, Any], reason: str) -> None:
    assert changed(**fields) == (reason,)


def test_a_record_that_names_the_origin_of_files_is_a_reason() -> None:
    assert changed(taken=True) == ("its record says where its files come from",)


def test_every_field_of_the_plan_gives_a_reason_when_it_changes() -> None:
    """A field that somebody adds to the plan must not stay silent.

    The name is part of the file's own name; `deploys` follows from the steps.
    """
    for key, value in PLAN.instructions().items():
        if key in ("name", "deploys"):
            continue
        new = depends()
        match value:
            case int():
                new["plan"][key] = value + 1
            case str():
                new["plan"][key] = value + "x"
            case dict():
                new["plan"][key] = {**value, "x": True}
            case _ if key in ("patches", "files", "further", "folders"):
                new["plan"][key] = [*value, ["x", "8" * 64]]
            case _ if key == "steps":
                new["plan"][key] = list(value)[:1]
            case _:
                new["plan"][key] = [*value, "x"]
        assert reasons(json.loads(json.dumps(depends())), new), key


def test_a_tree_that_changes_and_goes_is_told_apart() -> None:
    first = depends(dataclasses.replace(PLAN, tree="d" * 64))
    second = depends(dataclasses.replace(PLAN, tree="e" * 64))
    assert reasons(first, second) == ("the local source tree changed",)
    assert reasons(second, depends()) == ("built from the archive again",)
    old, new = {"d" * 64: {"a.c": "file 1"}}, {"e" * 64: {"a.c": "file 2"}}
    named = ("the local source tree changed: a.c changed",)
    assert reasons({**first, "listings": old}, {**second, "listings": new}) == named
    of_another = ("the local source tree changed",)
    assert reasons({**first, "listings": new}, {**second, "listings": new}) == of_another


def test_sources_that_are_folders_of_the_tree_are_told_apart() -> None:
    for field in ("further", "folders"):
        assert changed(**{field: (("new", "e" * 64),)})[1:] == ("source in new added",)
    assert changed(further=()) == ("source in data removed",)
    assert changed(folders=(("own", "e" * 64),)) == ("source in own changed",)


def test_an_archive_that_is_not_accepted_any_more_is_a_reason() -> None:
    reason = f"the archive that it was built from is no longer accepted: sha256 {'a' * 64}"
    assert after(archive="c" * 64) == (reason,)


def test_a_new_version_says_enough_about_its_archive() -> None:
    newer = dataclasses.replace(PLAN, version="1.1")
    assert after(newer, archive="c" * 64) == ("version: 1.0 -> 1.1",)


def test_accepted_archives_alone_are_no_reason() -> None:
    assert changed(sources=("a" * 64,)) == ()


def test_the_toolchain_is_a_reason() -> None:
    assert after(toolchain="8" * 64) == ("the cross toolchain changed",)


def test_changed_new_and_lost_interfaces_are_reasons_by_name() -> None:
    assert after(interfaces={"libmnl": "5" * 64, "zlib": "9" * 64}) == (
        "interface of zlib changed",
    )
    assert after(interfaces={"libmnl": "5" * 64, "new": "9" * 64}) == (
        "interface of new changed",
        "interface of zlib changed",
    )


def test_what_changed_in_an_interface_is_named_if_that_is_known() -> None:
    known = {("zlib", "6" * 64, "9" * 64): ["+ symbol a", "+ symbol b", "- symbol c", "+ symbol d"]}
    found = reasons(
        json.loads(json.dumps(depends())),
        depends(interfaces={"libmnl": "8" * 64, "zlib": "9" * 64}),
        lambda *asked: known.get(asked, ()),
    )
    assert found == (
        "interface of libmnl changed",
        "interface of zlib: + symbol a, + symbol b, - symbol c, and 1 more",
    )


def test_that_builds_are_sealed_now_is_a_reason_and_that_they_are_not_is_none() -> None:
    sealed, unsealed = (depends(by={"toolchain": "7" * 64, "sealed": s}) for s in (True, False))
    assert reasons(unsealed, sealed) == ("builds are sealed now",)
    assert reasons(sealed, unsealed) == ()


def test_steps_that_follow_from_another_change_are_not_a_second_reason() -> None:
    plan = dataclasses.replace(PLAN, version="1.1", steps=PLAN.steps[:1])
    assert after(plan) == ("version: 1.0 -> 1.1",)


def test_several_changes_come_in_a_fixed_order() -> None:
    plan = dataclasses.replace(PLAN, version="2", cflags="-Os", patches=())
    found = after(plan, toolchain="8" * 64, interfaces={})
    assert found == (
        "version: 1.0 -> 2",
        "patch 1.patch removed",
        "cflags: -O2 -> -Os",
        "the cross toolchain changed",
        "interface of libmnl changed",
        "interface of zlib changed",
    )


ROOTFS = plan_parts.rootfs(
    overlays=(("rootfs", "2" * 64),), users=(("web", User("www", 900)),), hardening=("pie",)
)
LISTING = {"rootfs": {"etc/motd": "file 644 a"}}


def image(
    plan: UnitPlan = ROOTFS, listings: Any = LISTING, parts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what the root file system depends on."""
    inputs = {"bash": "3" * 64, "zlib": "4" * 64} if parts is None else parts
    return {
        "record": 1,
        "plan": plan.instructions(),
        "archive": "",
        "by": {},
        "inputs": {name if ":" in name else f"{name}:libs": d for name, d in inputs.items()},
        "listings": listings,
    }


def image_reasons(**now: Any) -> tuple[str, ...]:
    return reasons(json.loads(json.dumps(image())), image(**now))


def test_who_leaves_paths_to_others_is_told_of_an_image() -> None:
    one = dataclasses.replace(ROOTFS, yields=(("box", ("*",)),))
    two = dataclasses.replace(ROOTFS, yields=(("box", ("less", "kmod")),))
    assert image_reasons(plan=one) == ("box leaves paths to all others",)
    assert reasons(image(one), image(two)) == ("box leaves paths to less, kmod",)
    assert reasons(image(two), image()) == ("box leaves no paths to others",)


def permissions(*rows: Permission) -> RootfsPlan:
    return dataclasses.replace(ROOTFS, permissions=tuple(("web", row) for row in rows))


def test_the_paths_whose_permissions_changed_are_named_with_their_package() -> None:
    plain = Permission("/bin/x", "0755")
    capable = dataclasses.replace(plain, capabilities="cap_net_raw+ep")
    marked = dataclasses.replace(plain, xattrs=(("user.a", "1"),))
    again = Permission("/bin/x", "0700")

    def told(old: RootfsPlan, new: RootfsPlan) -> tuple[str, ...]:
        return reasons(json.loads(json.dumps(image(old))), image(new))

    changed = ("permission for /bin/x of web changed",)
    assert told(permissions(plain), permissions(capable)) == changed
    assert told(permissions(capable), permissions(marked)) == changed
    assert told(permissions(), permissions(plain)) == ("permission for /bin/x of web added",)
    assert told(permissions(plain), permissions()) == ("permission for /bin/x of web removed",)
    order = permissions(again, plain), permissions(plain, plain)
    assert told(*order) == ("the order of permissions changed",)
    assert told(permissions(plain), permissions(plain)) == ()


def test_an_image_never_made_here_says_so() -> None:
    assert reasons(None, image()) == ("it has not been made here before",)


def test_an_image_of_equal_inputs_has_no_reason() -> None:
    assert image_reasons() == ()


def test_packages_of_an_image_that_come_go_and_change_are_named() -> None:
    assert image_reasons(parts={"bash": "9" * 64, "new": "4" * 64}) == (
        "files of bash changed",
        "package new added",
        "package zlib removed",
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {"a:libs": "1", "a:programs": "2"},
            {"a:libs": "3", "a:programs": "4"},
            "files of a changed",
        ),
        (
            {"a:libs": "1", "a:programs": "2"},
            {"a:libs": "1", "a:programs": "4"},
            "files of a changed",
        ),
        ({}, {"a:libs": "1", "a:programs": "2"}, "package a added"),
        ({"a:libs": "1", "a:programs": "2"}, {}, "package a removed"),
        ({"a:libs": "1"}, {"a:libs": "1", "a:programs": "2"}, "programs of a added"),
        ({"a:libs": "1", "a:programs": "2"}, {"a:libs": "1"}, "programs of a removed"),
    ],
)
def test_a_package_with_several_parts_is_named_once(
    old: dict[str, str], new: dict[str, str], expected: str
) -> None:
    assert reasons(image(parts=old), image(parts=new)) == (expected,)


def test_the_files_of_an_overlay_are_named_in_place_of_its_digest() -> None:
    plan = dataclasses.replace(ROOTFS, overlays=(("rootfs", "5" * 64),))
    listings = {"rootfs": {"etc/motd": "file 644 b", "etc/new": "file 644 a"}}
    assert image_reasons(plan=plan, listings=listings) == (
        "overlay rootfs: etc/new added",
        "overlay rootfs: etc/motd changed",
    )


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RootfsPlan)])
def test_every_field_of_a_root_file_systems_plan_gives_a_reason(field: str) -> None:
    """A field that somebody adds to the plan must not stay silent."""
    old = getattr(ROOTFS, field)
    row: Any = Permission("/y", "0755") if field == "permissions" else "y"
    new: Any = f"{old}x" if isinstance(old, str) else (*(old or ()), ("x", row))
    assert len(image_reasons(plan=dataclasses.replace(ROOTFS, **{field: new}))) == 1


def test_a_file_system_says_what_changed_in_its_own_plan_and_in_the_tar() -> None:
    def ext4(size: int, tar: str) -> dict[str, Any]:
        plan = FileSystemPlan(format="ext4", label="box", size_mib=size)
        return {**image(plan, {}), "inputs": {"rootfs.tar:tar": tar}}

    assert reasons(ext4(8, "a"), ext4(9, "a")) == ("the image's size changed",)
    assert reasons(ext4(8, "a"), ext4(8, "b")) == ("rootfs.tar changed",)


def test_a_file_system_says_which_tool_of_the_machine_changed() -> None:
    def ext4(**by: str) -> dict[str, Any]:
        plan = FileSystemPlan(format="ext4", label="box", size_mib=8)
        return {**image(plan, {}), "by": by}

    found = reasons(ext4(gzip="a", mke2fs="a"), ext4(gzip="a", mke2fs="b"))
    assert found == ("this machine's mke2fs changed",)
    assert reasons(ext4(mke2fs="a"), ext4(mke2fs="a")) == ()
