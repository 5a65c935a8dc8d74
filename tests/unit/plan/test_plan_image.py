"""Plans of images: what is in their identity."""

from __future__ import annotations

import dataclasses

import plan_parts
import pytest

from quard.model import Permission, User

PLAIN = Permission("/bin/x", "0755")
PLAN = plan_parts.rootfs(
    users=(("web", User("www", 900, gecos="")),), permissions=(("web", PLAIN),)
)


def test_permissions_without_attributes_name_none() -> None:
    row = {"path": "/bin/x", "mode": "0755", "owner": "root", "group": "root"}
    assert PLAN.instructions()["permissions"] == [["web", row]]
    (_, user) = PLAN.instructions()["users"][0]
    assert user["gecos"] == "" and user["uid"] == 900


@pytest.mark.parametrize(
    "permission",
    [
        Permission("/bin/x", "0755", capabilities="cap_kill+ep"),
        Permission("/bin/x", "0755", capabilities="cap_kill+p"),
        Permission("/bin/x", "0755", xattrs=(("user.a", ""),)),
        Permission("/bin/x", "0755", xattrs=(("user.a", "1"),)),
    ],
)
def test_attributes_are_part_of_the_identity(permission: Permission) -> None:
    other = dataclasses.replace(PLAN, permissions=(("web", permission),))
    assert other.identity != PLAN.identity
    (_, row) = other.instructions()["permissions"][0]
    assert ("capabilities" in row) != ("xattrs" in row)
