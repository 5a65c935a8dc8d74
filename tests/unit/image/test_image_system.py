from __future__ import annotations

from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import system
from quard.image.accounts import Account, Group

PROJECT = Path(__file__).resolve().parents[3]


def refused(folder: Path, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        parts.system(folder, text)
    assert caught.value.reason == "bad-system-table"
    assert "configs/system/test.toml" in caught.value.message
    return caught.value


def test_accounts_devices_and_folders_are_read(tmp_path: Path) -> None:
    found = parts.system(tmp_path)
    assert found.users[0] == Account("root", 0, 0, "/root", "/bin/sh", "", "*")
    assert found.groups[2] == Group("audio", 29, ("daemon",))
    assert found.directories[1] == ("/tmp", system.Access(0o1777, "root", "root"))
    path, device = found.devices[0]
    assert (path, device.kind, device.major, device.minor) == ("/dev/console", "char", 5, 1)


def test_devices_may_have_the_highest_numbers_of_linux(tmp_path: Path) -> None:
    text = parts.BASE.replace("major = 5", "major = 4095").replace("minor = 1", "minor = 1048575")
    ((_, device), *_) = parts.system(tmp_path, text).devices
    assert (device.major, device.minor) == (4095, 1048575)


def test_every_table_of_the_project_is_valid() -> None:
    tables = sorted((PROJECT / "configs" / "system").glob("*.toml"))
    assert tables
    for path in tables:
        assert any(user.name == "root" for user in system.load(path).users)


def test_typo_in_a_table_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, parts.BASE + '[[directry]]\npath = "/x"\nmode = "0755"\n')
    assert "directry" in error.message
    assert "'directory'" in error.hint


def test_typo_in_a_key_names_table_and_key(tmp_path: Path) -> None:
    error = refused(
        tmp_path, parts.BASE + '[[directory]]\npath = "/x"\nmode = "0755"\nownr = "a"\n'
    )
    assert "directory[2].ownr" in error.message
    assert "'owner'" in error.hint


def test_unknown_group_of_a_user_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, parts.BASE.replace('gid = "daemon"', 'gid = "deamon"'))
    assert "user[1].gid" in error.message
    assert "'daemon'" in error.hint


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('mode = "1777"', 'mode = "rwx"', "directory[1].mode"),
        ('mode = "1777"', "mode = 1777", "directory[1].mode"),
        ('mode = "1777"', 'mode = "01777"', "directory[1].mode"),
        ('path = "/tmp"', 'path = "tmp"', "directory[1].path"),
        ('path = "/tmp"', 'path = "/tmp/../etc"', "directory[1].path"),
        ('path = "/tmp"', 'path = "/tmp/"', "directory[1].path"),
        ('path = "/tmp"', 'path = "/root"', "directory[1].path"),
        ('type = "c"', 'type = "char"', "device[0].type"),
        ("major = 5", "major = 4096", "device[0].major"),
        ("minor = 1", "minor = 1048576", "device[0].minor"),
        ("minor = 1", "minor = -1", "device[0].minor"),
        ("uid = 1\n", "uid = 0\n", "user[1].uid"),
        ("uid = 1\n", 'uid = "1"\n', "user[1].uid"),
        ("uid = 1\n", "uid = 70000\n", "user[1].uid"),
        ("gid = 29", "gid = 1", "group[2].gid"),
        ('name = "audio"', 'name = "daemon"', "group[2].name"),
        ('name = "audio"', 'name = "Au:dio"', "group[2].name"),
        ('home = "/root"', 'home = "/root:x"', "user[0].home"),
        ('shell = "/bin/sh"', 'shell = "/bin/sh"\npassword = "secret"', "user[0].password"),
        ("uid = 0", "uid = 7", "user lacks root"),
    ],
)
def test_bad_value_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in parts.BASE
    assert named in refused(tmp_path, parts.BASE.replace(old, new)).message


ROW = '[[permission]]\npath = "/usr/bin/x"\nmode = "0755"\n'


def test_capabilities_and_attributes_of_a_permission_are_read(tmp_path: Path) -> None:
    more = 'capabilities = "cap_kill+p"\nxattrs = { "user.b" = "2", user.a = "0x01" }\n'
    found = parts.system(tmp_path, parts.BASE + ROW + more)
    ((path, access),) = found.permissions
    assert (path, access.mode, access.owner) == ("/usr/bin/x", 0o755, "root")
    names = [name for name, _ in access.attributes]
    assert names == ["security.capability", "user.a", "user.b"]
    assert access.attributes[1:] == (("user.a", b"\1"), ("user.b", b"2"))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('capabilities = "cap_kil+ep"', "permission[0].capabilities cannot be used: there is no"),
        ('capabilities = ["cap_kill+ep"]', "permission[0].capabilities must be a string"),
        ('xattrs = { "trusted.x" = "1" }', "permission[0].xattrs cannot be used: 'trusted.x'"),
        ("xattrs.user.x = 1", "permission[0].xattrs has user.x, which must be a string"),
        ('xattrs = "user.x"', "permission[0].xattrs must be a table"),
        ('xattrs = { x = "1" }', "permission[0].xattrs cannot be used: 'x' must be"),
    ],
)
def test_attributes_that_no_file_can_have_are_refused_by_name(
    tmp_path: Path, more: str, named: str
) -> None:
    assert named in refused(tmp_path, parts.BASE + ROW + more).message


@pytest.mark.parametrize("table", ["directory", "device"])
def test_only_permissions_have_attributes(tmp_path: Path, table: str) -> None:
    row = ROW.replace("permission", table)
    row += 'type = "c"\nmajor = 1\nminor = 3\n' if table == "device" else ""
    error = refused(tmp_path, parts.BASE + row + 'capabilities = "cap_kill+ep"\n')
    assert "unknown key" in error.message and "capabilities" in error.message


def test_empty_link_target_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, parts.BASE + '[[link]]\npath = "/x"\ntarget = ""\n')
    assert "link[0].target" in error.message


def test_broken_toml_is_refused(tmp_path: Path) -> None:
    assert "line 1" in refused(tmp_path, "[[user]\n").detail


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        system.load(tmp_path / "configs" / "system" / "none.toml")
    assert caught.value.reason == "bad-system-table"
