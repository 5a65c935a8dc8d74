from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.layers import Layer
from quard.image.overlay import scan
from quard.image.rootfs import RootfsJob, assemble
from quard.model import Permission, User
from quard.store.blob import pack, walk

PACKAGES: dict[str, dict[str, Any]] = {
    "busybox": {
        "usr/bin/busybox": (b"all in one", 0o755),
        "usr/bin/ls": "busybox",
        "usr/bin/cat": ("hard", "usr/bin/busybox"),
        "etc/motd": b"busy\n",
        "var/empty": 0o755,
    },
    "web": {"usr/sbin/httpd": (b"httpd", 0o755), "srv/secret": b"1234"},
}


@pytest.fixture
def spec(tmp_path: Path) -> RootfsJob:
    overlay = tmp_path / "rootfs"
    (overlay / "etc").mkdir(parents=True)
    (overlay / "etc" / "motd").write_text("welcome\n", encoding="ascii")
    (overlay / "etc" / "profile").write_text("", encoding="ascii")
    return parts.spec(
        tmp_path,
        PACKAGES,
        overlays=(scan("rootfs", overlay),),
        users=(("web", User("web", 80, home="/srv")),),
        permissions=(
            ("busybox", Permission("/bin/busybox", "4755")),
            ("web", Permission("/srv/secret", "0600", "web", "web")),
        ),
        authorized_keys=(parts.KEY,),
    )


def made(spec: RootfsJob, folder: Path) -> tuple[dict[str, tarfile.TarInfo], dict[str, Any]]:
    digest = assemble(spec, folder / "rootfs.tar", folder / "manifest.json").sha256
    data = (folder / "rootfs.tar").read_bytes()
    assert digest == hashlib.sha256(data).hexdigest()
    with tarfile.open(folder / "rootfs.tar") as tar:
        members = {member.name: member for member in tar}
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return members, manifest


def test_tar_and_manifest_have_the_same_paths(spec: RootfsJob, tmp_path: Path) -> None:
    members, manifest = made(spec, tmp_path)
    assert {f"/{name}".rstrip(".") for name in members} == set(manifest)
    assert list(manifest) == sorted(manifest)


def test_merged_folders_are_links(spec: RootfsJob, tmp_path: Path) -> None:
    members, _ = made(spec, tmp_path)
    for top in ("bin", "sbin", "lib"):
        assert members[top].linkname == f"usr/{top}"
        assert members[f"usr/{top}"].isdir()
    assert "lib64" not in members


def test_target_with_its_loader_in_lib64_gets_that_link(spec: RootfsJob, tmp_path: Path) -> None:
    target = dataclasses.replace(spec.target, loader="/lib64/ld.so")
    members, _ = made(parts.changed(spec, target=target), tmp_path)
    assert members["lib64"].linkname == "usr/lib"


def test_table_may_repeat_the_merged_links_but_not_bend_them(
    spec: RootfsJob, tmp_path: Path
) -> None:
    link = '[[link]]\npath = "/bin"\ntarget = "{}"\n'
    table = parts.system(tmp_path / "a", parts.BASE + link.format("usr/bin"))
    made(parts.changed(spec, system=table), tmp_path)
    table = parts.system(tmp_path / "b", parts.BASE + link.format("usr/sbin"))
    with pytest.raises(QuardError) as caught:
        made(parts.changed(spec, system=table), tmp_path)
    assert caught.value.reason == "file-collision"


def test_owners_modes_and_devices_are_the_tars_own(spec: RootfsJob, tmp_path: Path) -> None:
    members, _ = made(spec, tmp_path)
    busybox, secret = members["usr/bin/busybox"], members["srv/secret"]
    assert (busybox.mode, busybox.uid) == (0o4755, 0)
    assert (secret.mode, secret.uid, secret.gid) == (0o600, 80, 80)
    assert members["root"].mode == members["root/.ssh"].mode == 0o700
    assert members["tmp"].mode == 0o1777
    console = members["dev/console"]
    assert console.ischr()
    assert (console.devmajor, console.devminor, console.mode) == (5, 1, 0o600)


def test_no_member_tells_of_the_build(spec: RootfsJob, tmp_path: Path) -> None:
    members, _ = made(spec, tmp_path)
    assert {member.mtime for member in members.values()} == {1}
    assert {member.uname + member.gname for member in members.values()} == {""}
    assert list(members) == sorted(members)


def test_hard_links_stay_one_file(spec: RootfsJob, tmp_path: Path) -> None:
    members, manifest = made(spec, tmp_path)
    assert members["usr/bin/cat"].islnk() != members["usr/bin/busybox"].islnk()
    assert manifest["/usr/bin/cat"]["sha256"] == manifest["/usr/bin/busybox"]["sha256"]
    assert manifest["/usr/bin/cat"]["mode"] == "4755"


def test_manifest_says_who_what_and_where_from(spec: RootfsJob, tmp_path: Path) -> None:
    _, manifest = made(spec, tmp_path)
    plain = {"uid": 0, "gid": 0}
    assert manifest["/etc/motd"] == plain | {
        "package": "rootfs",
        "replaces": "busybox",
        "type": "file",
        "mode": "0644",
        "size": 8,
        "sha256": hashlib.sha256(b"welcome\n").hexdigest(),
    }
    assert manifest["/usr/bin/ls"] == plain | {
        "package": "busybox",
        "type": "link",
        "mode": "0777",
        "target": "busybox",
    }
    assert manifest["/dev/console"] == plain | {
        "package": "system",
        "type": "char",
        "mode": "0600",
        "major": 5,
        "minor": 1,
    }


def test_same_spec_in_another_place_and_order_gives_the_same_bytes(
    spec: RootfsJob, tmp_path: Path
) -> None:
    made(spec, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    again = parts.spec(other, PACKAGES)
    other_overlay = tmp_path / "moved"
    spec.overlays[0].folder.rename(other_overlay)
    old = os.umask(0o077)
    try:
        made(
            parts.changed(
                spec,
                layers=tuple(reversed(again.layers)),
                overlays=(scan("rootfs", other_overlay),),
                permissions=tuple(reversed(spec.plan.permissions)),
            ),
            other,
        )
    finally:
        os.umask(old)
    for name in ("rootfs.tar", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (other / name).read_bytes()


def test_two_packages_at_one_path_are_named(spec: RootfsJob, tmp_path: Path) -> None:
    clash = Layer("other", parts.blob(tmp_path / "o.tar", {"usr/sbin/httpd": b"httpd"}))
    with pytest.raises(QuardError) as caught:
        made(parts.changed(spec, layers=(*spec.layers, clash)), tmp_path)
    assert caught.value.reason == "file-collision"
    assert "/usr/sbin/httpd" in caught.value.message
    assert "package other and by package web" in caught.value.message


def test_failure_leaves_nothing_behind(spec: RootfsJob, tmp_path: Path) -> None:
    out = tmp_path / "images"
    bad = parts.changed(spec, hostname="not a name")
    with pytest.raises(QuardError):
        assemble(bad, out / "rootfs.tar", out / "manifest.json")
    assert not out.exists()


def test_blob_that_is_no_tar_names_its_package(spec: RootfsJob, tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(b"no tar at all" * 100)
    layer = Layer("broken", tmp_path / "bad.tar")
    with pytest.raises(QuardError) as caught:
        made(parts.changed(spec, layers=(layer,)), tmp_path)
    assert caught.value.reason == "bad-tar"
    assert "broken" in caught.value.message


def test_blob_as_the_store_packs_it_is_a_layer(spec: RootfsJob, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    (stage / "usr" / "bin").mkdir(parents=True)
    (stage / "usr" / "bin" / "a").write_bytes(b"a")
    (stage / "usr" / "bin" / "b").hardlink_to(stage / "usr" / "bin" / "a")
    (stage / "opt").mkdir(mode=0o700)
    pack(stage, walk(stage), tmp_path / "packed.tar")
    layer = Layer("packed", tmp_path / "packed.tar")
    members, manifest = made(parts.changed(spec, layers=(*spec.layers, layer)), tmp_path)
    assert members["usr/bin/b"].linkname == "usr/bin/a"
    assert manifest["/opt"]["mode"] == "0700"
    assert manifest["/usr/bin/a"]["package"] == "packed"


def home_of(spec: RootfsJob, folder: Path, home: str, **changes: Any) -> tuple[Any, ...] | None:
    """Return package, mode, owner and group of the home of an account that a package asks for."""
    user = User("db", 70, home=home)
    wanted = parts.changed(spec, users=(*spec.plan.users, ("web", user)), **changes)
    entry = made(wanted, folder)[1].get(home)
    return entry and (entry["package"], entry["mode"], entry["uid"], entry["gid"])


def test_homes_are_made_for_their_users_alone(spec: RootfsJob, tmp_path: Path) -> None:
    assert home_of(spec, tmp_path, "/var/lib/db") == ("web", "0700", 70, 70)
    _, manifest = made(spec, tmp_path)
    assert "/var/lib/db" not in manifest


def test_parents_of_a_home_are_plain_folders(spec: RootfsJob, tmp_path: Path) -> None:
    user = User("db", 70, home="/home/deep/db")
    members, _ = made(parts.changed(spec, users=(("web", user),), permissions=()), tmp_path)
    assert (members["home/deep"].mode, members["home/deep"].uid) == (0o755, 0)


def test_a_permission_of_the_recipe_reaches_the_home(spec: RootfsJob, tmp_path: Path) -> None:
    rows = (("web", Permission("/var/lib/db", "0750", "db", "web")),)
    found = home_of(spec, tmp_path, "/var/lib/db", permissions=rows)
    assert found == ("web", "0750", 70, 80)


@pytest.mark.parametrize("home", ["/srv", "/var/empty", "/usr/bin", "/etc"])
def test_a_home_that_is_there_stays_as_it_is(spec: RootfsJob, tmp_path: Path, home: str) -> None:
    found = home_of(spec, tmp_path, home)
    assert found and found[1:] == ("0755", 0, 0)


@pytest.mark.parametrize("home", ["/run/db", "/tmp/db", "/nonexistent", "/dev/null"])
def test_some_homes_are_not_for_the_image(spec: RootfsJob, tmp_path: Path, home: str) -> None:
    assert home_of(spec, tmp_path, home) is None


def test_a_home_behind_a_link_is_made_where_the_link_leads(spec: RootfsJob, tmp_path: Path) -> None:
    table = parts.BASE + '[[link]]\npath = "/data"\ntarget = "srv/data"\n'
    user = User("db", 70, home="/data/db")
    wanted = parts.changed(
        spec, system=parts.system(tmp_path / "a", table), users=(*spec.plan.users, ("web", user))
    )
    members, _ = made(wanted, tmp_path)
    assert members["srv/data/db"].uid == 70 and members["data"].issym()


def test_homes_of_the_tables_users_are_made_too(spec: RootfsJob, tmp_path: Path) -> None:
    table = parts.BASE.replace('gid = "daemon"\n', 'gid = "daemon"\nhome = "/home/daemon"\n', 1)
    members, manifest = made(
        parts.changed(spec, system=parts.system(tmp_path / "a", table)), tmp_path
    )
    assert (members["home/daemon"].mode, members["home/daemon"].uid) == (0o700, 1)
    assert manifest["/home/daemon"]["package"] == "system"


def test_board_with_a_data_disk_gets_its_folder_and_the_list_of_what_is_kept(
    spec: RootfsJob, tmp_path: Path
) -> None:
    kept = parts.changed(spec, persistent=("/root", "/etc/motd"))
    members, _ = made(kept, tmp_path)
    assert members["data"].isdir() and members["data"].mode == 0o755
    with tarfile.open(tmp_path / "rootfs.tar") as tar:
        file = tar.extractfile("etc/persistent")
        assert file is not None and file.read() == b"/root\n/etc/motd\n"


def test_board_with_nothing_to_keep_has_no_list_and_one_without_a_disk_no_folder(
    spec: RootfsJob, tmp_path: Path
) -> None:
    members, _ = made(parts.changed(spec, persistent=()), tmp_path)
    assert "data" in members and "etc/persistent" not in members
    members, _ = made(parts.changed(spec, persistent=None), tmp_path)
    assert "data" not in members


@pytest.mark.parametrize(
    ("path", "trouble"), [("/nowhere", "is not in the image"), ("/bin", "is a link")]
)
def test_what_cannot_be_kept_is_refused(
    spec: RootfsJob, tmp_path: Path, path: str, trouble: str
) -> None:
    with pytest.raises(QuardError) as caught:
        made(parts.changed(spec, persistent=(path,)), tmp_path)
    assert caught.value.reason == "bad-persistent"
    assert f"names {path}, which {trouble}" in caught.value.message
