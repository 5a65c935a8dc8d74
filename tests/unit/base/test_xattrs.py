"""Extended attributes of permissions: names, forms of values, and room."""

from __future__ import annotations

import pytest

from quard.base import xattrs

CAPABLE = "cap_net_raw+ep"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", b"text"),
        ("", b""),
        ("\u017e", "\u017e".encode()),
        ("0x00fF", b"\0\xff"),
        ("0sAAE=", b"\0\1"),
        ("0x", b""),
    ],
)
def test_values_are_texts_hexadecimal_digits_or_base64(written: str, value: bytes) -> None:
    assert xattrs.value(written) == value


@pytest.mark.parametrize(
    "value", [b"", b"text", b"\0", b"a\nb", b"\xff\xfe", b"0x00", b"0sAA", "\u017e".encode()]
)
def test_every_value_is_shown_as_it_can_be_written(value: bytes) -> None:
    assert xattrs.value(xattrs.text(value)) == value


def test_attributes_are_sorted_and_capabilities_are_one_of_them() -> None:
    found = xattrs.encode(CAPABLE, [("user.b", "1"), ("security.a", "0x02")])
    assert [name for name, _ in found] == ["security.a", "security.capability", "user.b"]
    assert found[0][1] == b"\2" and len(found[1][1]) == 20
    assert xattrs.encode("", ()) == ()


def problems(mode: int, given: str = "", **named: str) -> list[tuple[str, str]]:
    pairs = tuple((name.replace("__", "."), text) for name, text in named.items())
    return list(xattrs.problems(mode, given, pairs))


def test_usual_attributes_have_no_problem() -> None:
    assert problems(0o755, CAPABLE, user__origin="x", security__selinux="0x00") == []
    assert problems(0o2750, CAPABLE) == []
    assert problems(0o644, user__origin="x") == []


@pytest.mark.parametrize(
    ("mode", "given", "text"),
    [
        (0o755, "cap_x+ep", "there is no capability 'cap_x'"),
        (0o4755, CAPABLE, "the mode 4755 is setuid"),
        (0o644, CAPABLE, "nobody may execute a file with the mode 0644"),
    ],
)
def test_capabilities_that_have_no_effect_are_problems(mode: int, given: str, text: str) -> None:
    ((key, said),) = problems(mode, given)
    assert key == "capabilities" and text in said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("origin", "must be security.NAME or user.NAME"),
        ("user.", "must be security.NAME or user.NAME"),
        ("user.a=b", "must be security.NAME or user.NAME"),
        ("user.\u017e", "must be security.NAME or user.NAME"),
        ("user.a b", "must be security.NAME or user.NAME"),
        ("user." + "x" * 251, "at most 255"),
        ("trusted.overlay.opaque", "overlayfs"),
        ("system.posix_acl_access", "access lists"),
        ("security.capability", "`capabilities` sets security.capability"),
    ],
)
def test_names_that_an_image_does_not_take_are_problems(name: str, text: str) -> None:
    ((key, said),) = xattrs.problems(0o755, "", ((name, "x"),))
    assert key == "xattrs" and text in said


@pytest.mark.parametrize(
    ("value", "text"), [("0x0", "hexadecimal digits"), ("0xfg", "hex"), ("0s!", "base64")]
)
def test_values_that_have_no_bytes_are_problems(value: str, text: str) -> None:
    ((key, said),) = xattrs.problems(0o755, "", (("user.x", value),))
    assert key == "xattrs" and "user.x" in said and text in said


def test_a_name_that_is_given_twice_is_a_problem() -> None:
    ((key, said),) = xattrs.problems(0o755, "", (("user.x", "1"), ("user.x", "2")))
    assert key == "xattrs" and said == "'user.x' is given twice"


def test_all_problems_of_a_permission_are_told_together() -> None:
    found = xattrs.problems(0o4755, "cap_x+ep", (("x", "1"), ("user.y", "0x0")))
    assert [key for key, _ in found] == ["capabilities", "capabilities", "xattrs", "xattrs"]


def test_room_is_that_of_one_block_of_ext4() -> None:
    assert problems(0o755, user__big="z" * 4040) == []
    ((key, said),) = problems(0o755, user__big="z" * 4041)
    assert key == "xattrs" and "4064 bytes" in said and "4060" in said
    assert [key for key, _ in problems(0o755, CAPABLE, user__big="z" * 4040)] == ["xattrs"]
