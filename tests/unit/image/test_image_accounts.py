from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from quard.image.accounts import Account, Accounts, Group, merge
from quard.model import User

USERS = (
    Account("daemon", 1, 1, "/", "/bin/false", "", "*"),
    Account("root", 0, 0, "/root", "/bin/sh", "the boss", ""),
)
GROUPS = (Group("root", 0, ()), Group("daemon", 1, ("root", "sshd")))
SSHD = ("openssh", User("sshd", 74, home="/var/empty", gecos="ssh"))
HASH = "$6$abcdefgh$" + "x" * 86


def merged(*wanted: tuple[str, User], root: str = "*") -> Accounts:
    return merge(USERS, GROUPS, wanted, root)


def refused(*wanted: tuple[str, User], root: str = "*") -> QuardError:
    with pytest.raises(QuardError) as caught:
        merged(*wanted, root=root)
    return caught.value


def test_files_have_the_fields_of_their_manual_pages_sorted_by_number() -> None:
    people = merged(SSHD, root=HASH)
    assert people.passwd() == (
        "root:x:0:0:the boss:/root:/bin/sh\n"
        "daemon:x:1:1::/:/bin/false\n"
        "sshd:x:74:74:ssh:/var/empty:/bin/false\n"
    )
    assert people.group() == "root:x:0:\ndaemon:x:1:root,sshd\nsshd:x:74:\n"
    assert people.shadow() == "".join(
        f"{user}::0:99999:7:::\n" for user in (f"root:{HASH}", "daemon:*", "sshd:*")
    )


def test_empty_root_password_stays_empty() -> None:
    assert merged(SSHD, root="").shadow().startswith("root:::0:99999:7:::\n")


def test_order_of_the_packages_changes_nothing() -> None:
    other = ("web", User("web", 80))
    assert merged(SSHD, other) == merged(other, SSHD)


def test_same_name_from_two_packages_names_both() -> None:
    error = refused(SSHD, ("dropbear", User("sshd", 75)))
    assert error.reason == "user-clash"
    assert "'sshd'" in error.message
    assert "dropbear" in error.message
    assert "openssh" in error.message


def test_same_number_from_two_packages_names_both() -> None:
    error = refused(SSHD, ("web", User("web", 74)))
    assert error.reason == "user-clash"
    assert "74" in error.message
    assert "openssh" in error.message
    assert "web" in error.message


@pytest.mark.parametrize("user", [User("root", 90), User("mine", 0), User("daemon", 90)])
def test_clash_with_the_table_names_it(user: User) -> None:
    error = refused(SSHD, ("web", user))
    assert error.reason == "user-clash"
    assert "the system table" in error.message


def test_user_may_not_take_the_number_of_another_group() -> None:
    with pytest.raises(QuardError) as caught:
        merge(USERS, (*GROUPS, Group("audio", 29, ())), (SSHD, ("web", User("web", 29))), "*")
    assert caught.value.reason == "user-clash"
    assert "group number 29" in caught.value.message


def test_group_member_without_an_account_is_refused() -> None:
    error = refused()
    assert error.reason == "unknown-user"
    assert "group daemon" in error.message


@pytest.mark.parametrize("field", ["a:b", "a\nb"])
def test_field_that_would_break_the_line_is_refused(field: str) -> None:
    assert refused(SSHD, ("web", User("web", 80, gecos=field))).reason == "bad-user"


@pytest.mark.parametrize("password", ["secret", "x:y", "$6$ab\n", "!"])
def test_password_in_clear_is_refused_with_the_way_to_hash_it(password: str) -> None:
    error = refused(SSHD, root=password)
    assert error.reason == "bad-password"
    assert "openssl passwd" in error.hint
    assert password not in error.block()


def test_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(QuardError) as caught:
        merged(SSHD).uid("ssdh", "a permission")
    assert caught.value.reason == "unknown-user"
    assert "'sshd'" in caught.value.hint
