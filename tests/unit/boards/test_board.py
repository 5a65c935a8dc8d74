"""Boards: every key typed and known, nothing else in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import TOP

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.configuration import BoardToolchain
from quard.boards.root import Login
from quard.boards.trees import Trees
from quard.hardening import Hardening
from quard.model import Unhardened

MINIMAL = """\
summary = "A board"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["busybox"]
"""


def write(folder: Path, text: str, name: str = "one") -> None:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / f"configs/{name}.toml").write_text(text, encoding="utf-8")


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me"


def load(folder: Path, text: str) -> board.Board:
    write(folder, text)
    return board.load(Trees(folder), "one")


def refused(folder: Path, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        load(folder, text)
    return caught.value


def test_a_minimal_board_has_the_defaults(tmp_path: Path) -> None:
    found = load(tmp_path, MINIMAL)
    assert found == board.Board(
        name="one",
        summary="A board",
        target=found.target,
        toolchain=BoardToolchain(prefix="riscv64-linux-gnu-", folder=""),
        cflags="-O2",
        hardening=Hardening(),
        unhardened=(),
        services={},
        machine="virt",
        system="base",
        hostname="one",
        packages=("busybox",),
        libraries=(),
        features={},
        fragments={},
        overlays=("rootfs",),
        login=Login(root_password="*", authorized_keys=()),
        formats=("ext4", "squashfs", "cpio.gz"),
        size_mib=0,
        data=board.Data(size_mib=256, persistent=()),
    )
    assert found.target.triple == "riscv64-linux-gnu"


def test_everything_a_board_can_say_is_read(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        MINIMAL
        + """\
system = "other"
hostname = "host"
overlays = ["rootfs", "more"]
[toolchain]
prefix = "riscv64-x-"
folder = "/opt/x"
[flags]
c = "-Os"
[hardening]
pie = false
fortify = 2
no_rpath = false
[[unhardened]]
path = "/opt/x"
lacks = ["pie", "relro"]
reason = "bought"
[features]
ethtool.netlink = "if-available"
openssl = {zlib = true, other = false}
[fragments]
linux = ["a.fragment", "b.fragment"]
[login]
root_password = ""
authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me"]
[image]
formats = ["cpio.gz"]
size_mib = 64
""",
    )
    assert (found.system, found.hostname, found.cflags) == ("other", "host", "-Os")
    assert found.hardening == Hardening(pie=False, fortify=2, no_rpath=False)
    assert found.unhardened == (Unhardened("/opt/x", lacks=("pie", "relro"), reason="bought"),)
    assert found.toolchain == BoardToolchain(prefix="riscv64-x-", folder="/opt/x")
    assert found.features == {
        ("ethtool", "netlink"): "if-available",
        ("openssl", "zlib"): "on",
        ("openssl", "other"): "off",
    }
    assert found.fragments == {"linux": ("a.fragment", "b.fragment")}
    assert found.login == Login(root_password="", authorized_keys=(KEY,))
    assert (found.overlays, found.formats, found.size_mib) == (("rootfs", "more"), ("cpio.gz",), 64)


@pytest.mark.parametrize("name", board.names(Trees(TOP)))
def test_every_board_of_the_project_is_read(name: str) -> None:
    assert board.load(Trees(TOP), name).name == name


def test_a_typing_error_in_a_board_gets_a_suggestion() -> None:
    with pytest.raises(QuardError) as caught:
        board.load(Trees(TOP), "qard-star")
    assert caught.value.reason == "unknown-board"
    assert caught.value.message == "unknown board 'qard-star'"
    assert caught.value.hint == "did you mean 'quard-star'?"


@pytest.mark.parametrize("name", ["", "..", "../configs/one", "one.toml", "/one", "One"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    write(tmp_path, MINIMAL)
    with pytest.raises(QuardError) as caught:
        board.load(Trees(tmp_path), name)
    assert caught.value.reason == "unknown-board"


def test_a_file_whose_name_no_board_can_have_is_said(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL, name="x86_64")
    with pytest.raises(QuardError) as caught:
        board.load(Trees(tmp_path), "x86_64")
    assert caught.value.message == "configs/x86_64.toml: 'x86_64' is not a valid name for a board"
    assert caught.value.hint == "use a-z, digits, + . and -"


def test_without_boards_the_error_says_how_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        board.load(Trees(tmp_path), "one")
    assert (caught.value.reason, caught.value.detail) == ("unknown-board", "known: none")
    assert caught.value.hint == "add configs/NAME.toml"


def test_names_are_sorted(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path, MINIMAL, name)
    assert board.names(Trees(tmp_path)) == ("a", "b")


WRONG = {
    "not TOML": ("summary = \n", "configs/one.toml is not valid TOML"),
    "no packages": (
        MINIMAL.replace('packages = ["busybox"]\n', ""),
        "configs/one.toml: packages is missing",
    ),
    "packages as text": (
        MINIMAL.replace('["busybox"]', '"busybox"'),
        "configs/one.toml: packages must be a list of strings, not 'busybox'",
    ),
    "unknown key": (MINIMAL + 'hostnam = "x"\n', "configs/one.toml: unknown key hostnam"),
    "unknown key of a table": (
        MINIMAL + "[image]\nsize = 3\n",
        "configs/one.toml: unknown key image.size",
    ),
    "unknown key of login": (
        MINIMAL + '[login]\npassword = "x"\n',
        "configs/one.toml: unknown key login.password",
    ),
    "unknown key of the toolchain": (
        MINIMAL + '[toolchain]\npath = "x"\n',
        "configs/one.toml: unknown key toolchain.path",
    ),
    "unknown defence": (
        MINIMAL + "[hardening]\npei = true\n",
        "configs/one.toml: unknown key hardening.pei",
    ),
    "defence by a word": (
        MINIMAL + '[hardening]\npie = "yes"\n',
        "configs/one.toml: hardening.pie must be true or false, not 'yes'",
    ),
    "level beyond the highest": (
        MINIMAL + "[hardening]\nfortify = 4\n",
        "configs/one.toml: hardening.fortify must be a level from 0 to 3, not 4",
    ),
    "exception from what is not checked": (
        MINIMAL + '[[unhardened]]\npath = "/x"\nlacks = ["fortify"]\nreason = "y"\n',
        "configs/one.toml: unhardened[0].lacks must be some of "
        "bind_now, no_rpath, no_textrel, noexecstack, pie, relro",
    ),
    "exception without a reason": (
        MINIMAL + '[[unhardened]]\npath = "/x"\nlacks = ["pie"]\nreason = " "\n',
        "configs/one.toml: unhardened[0].reason must give a reason",
    ),
    "exception for a place": (
        MINIMAL + '[[unhardened]]\npath = "x"\nlacks = ["pie"]\nreason = "y"\n',
        "configs/one.toml: unhardened[0].path must begin with /",
    ),
    "unknown flags": (MINIMAL + '[flags]\ncxx = "x"\n', "configs/one.toml: unknown key flags.cxx"),
    "unknown format": (
        MINIMAL + '[image]\nformats = ["ext5"]\n',
        "configs/one.toml: image.formats must be some of ext4, squashfs, cpio.gz, not 'ext5'",
    ),
    "size as text": (
        MINIMAL + '[image]\nsize_mib = "64"\n',
        "configs/one.toml: image.size_mib must be a whole number, not '64'",
    ),
    "negative size": (
        MINIMAL + "[image]\nsize_mib = -1\n",
        "configs/one.toml: image.size_mib must not be negative",
    ),
    "an overlay of the machine": (
        MINIMAL + 'overlays = ["rootfs", "/etc"]\n',
        "configs/one.toml: overlays must contain paths below their tree, not '/etc'",
    ),
    "an overlay beside the checkout": (
        MINIMAL + 'overlays = ["rootfs/../../x"]\n',
        "configs/one.toml: overlays must contain paths below their tree, not 'rootfs/../../x'",
    ),
    "an overlay of no tree": (
        MINIMAL + 'overlays = [":rootfs"]\n',
        "configs/one.toml: overlays must contain paths below their tree, not ':rootfs'",
    ),
    "a whole tree as an overlay": (
        MINIMAL + 'overlays = ["./"]\n',
        "configs/one.toml: overlays must contain paths below their tree, not './'",
    ),
    "a whole product tree as an overlay": (
        MINIMAL + 'overlays = ["acme:."]\n',
        "configs/one.toml: overlays must contain paths below their tree, not 'acme:.'",
    ),
    "a machine elsewhere": (
        MINIMAL.replace('machine = "virt"', 'machine = "../qemu/virt"'),
        "configs/one.toml: machine is not a valid name: '../qemu/virt'",
    ),
    "a system table elsewhere": (
        MINIMAL + 'system = "./base"\n',
        "configs/one.toml: system is not a valid name: './base'",
    ),
    "an overlay without a name": (
        MINIMAL + 'overlays = [""]\n',
        "configs/one.toml: overlays must contain paths below their tree, not ''",
    ),
    "a fragment of the machine": (
        MINIMAL + '[fragments]\nlinux = ["../../etc/shadow"]\n',
        "configs/one.toml: fragments.linux must contain paths below their tree,"
        " not '../../etc/shadow'",
    ),
    "feature as text": (
        MINIMAL + '[features]\nethtool.netlink = "yes"\n',
        'configs/one.toml: features.ethtool.netlink must be true, false or "if-available",'
        " not 'yes'",
    ),
    "feature as a number": (
        MINIMAL + "[features]\nethtool.netlink = 1\n",
        'configs/one.toml: features.ethtool.netlink must be true, false or "if-available", not 1',
    ),
    "unknown key of data": (
        MINIMAL + "[data]\nsize = 3\n",
        "configs/one.toml: unknown key data.size",
    ),
    "data disk too small for a journal": (
        MINIMAL + "[data]\nsize_mib = 7\n",
        "configs/one.toml: data.size_mib must be 0 (no data disk) or at least 8, not 7",
    ),
    "something to keep and no disk": (
        MINIMAL + '[data]\nsize_mib = 0\npersistent = ["/root"]\n',
        "configs/one.toml: data.persistent needs a data disk, and data.size_mib is 0",
    ),
    "relative path to keep": (
        MINIMAL + '[data]\npersistent = ["root"]\n',
        "configs/one.toml: data.persistent must contain absolute paths of letters, digits and"
        " . _ + -, not 'root'",
    ),
    "path to keep with an option's comma": (
        MINIMAL + '[data]\npersistent = ["/a,b"]\n',
        "configs/one.toml: data.persistent must contain absolute paths of letters, digits and"
        " . _ + -, not '/a,b'",
    ),
    "path to keep that leads up": (
        MINIMAL + '[data]\npersistent = ["/a/../b"]\n',
        "configs/one.toml: data.persistent must contain absolute paths of letters, digits and"
        " . _ + -, not '/a/../b'",
    ),
    "path to keep below a mount": (
        MINIMAL + '[data]\npersistent = ["/run/x"]\n',
        "configs/one.toml: data.persistent cannot contain /run/x:"
        " the guest mounts something else at /run",
    ),
    "path to keep above a mount": (
        MINIMAL + '[data]\npersistent = ["/var"]\n',
        "configs/one.toml: data.persistent cannot contain /var:"
        " the guest mounts something else at /var/log",
    ),
    "path to keep inside another": (
        MINIMAL + '[data]\npersistent = ["/a", "/a-b", "/a/c"]\n',
        "configs/one.toml: data.persistent names /a/c, which /a already contains",
    ),
    "path to keep twice": (
        MINIMAL + '[data]\npersistent = ["/a", "/a"]\n',
        "configs/one.toml: data.persistent names /a, which /a already contains",
    ),
    "package as a feature": (
        MINIMAL + "[features]\nethtool = true\n",
        "configs/one.toml: features.ethtool must be a table, not True",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_board_is_refused_with_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    error = refused(tmp_path, text)
    assert (error.message, error.reason) == (message, "bad-board")


def test_a_misspelt_key_gets_a_suggestion(tmp_path: Path) -> None:
    assert refused(tmp_path, MINIMAL + 'hostnam = "x"\n').hint == "did you mean 'hostname'?"


def test_an_unknown_target_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, MINIMAL.replace("riscv64-linux-gnu", "riscv64-linux-gun"))
    assert (error.reason, error.hint) == (
        "unknown-target",
        "did you mean 'riscv64-linux-gnu'?",
    )


def test_a_key_that_is_none_is_named_with_its_file_and_its_place(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        load(tmp_path, MINIMAL + f'[login]\nauthorized_keys = ["{KEY}", "ssh-ed25519 me"]\n')
    assert caught.value.message == (
        "configs/one.toml: login.authorized_keys[1] is not a public key of SSH: 'ssh-ed25519 me'"
    )
