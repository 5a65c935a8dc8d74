"""Named roots: what they take from the board, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.board import Board
from quard.boards.fragments import Fragments
from quard.boards.root import Login, Root
from quard.boards.trees import Trees
from quard.model import Unhardened

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me"
BOARD = f"""\
summary = "A board"
target = "riscv64-linux-gnu"
machine = "virt"
system = "other"
packages = ["busybox"]
overlays = ["rootfs", "more"]
flags.c = "-O3"
hardening.pie = false
features.openssl = {{zlib = true, asm = false}}
fragments.busybox = ["a.fragment"]
login.root_password = ""
login.authorized_keys = ["{KEY}"]
toolchain.folder = "/opt/x"
[[unhardened]]
path = "/opt/x"
lacks = ["pie"]
reason = "bought"
[roots.early]
packages = ["busybox"]
"""


def load(folder: Path, text: str) -> Board:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "configs/one.toml").write_text(BOARD + text)
    return board.load(Trees(folder), "one")


def root(folder: Path, text: str) -> Root:
    (found,) = load(folder, text).roots
    return found


def refused(folder: Path, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        load(folder, text)
    assert caught.value.reason == "bad-board"
    return caught.value


def test_a_root_that_says_nothing_is_built_as_the_board_and_has_nothing_of_its_own(
    tmp_path: Path,
) -> None:
    whole = load(tmp_path, "")
    (found,) = whole.roots
    own = whole.configuration
    assert (found.board, found.name, found.packages) == ("one", "early", ("busybox",))
    assert found.configuration.name == "one/early"
    assert found.configuration.folder == "early"
    for field in ("target", "toolchain", "cflags", "hardening", "features"):
        assert getattr(found.configuration, field) == getattr(own, field), field
    assert (found.system, found.hostname) == ("other", "one")
    assert found.login == Login(root_password="", authorized_keys=(KEY,))
    assert (found.overlays, found.unhardened, found.persistent) == ((), (), None)
    assert (found.formats, found.size_mib) == (("cpio.gz",), 0)


def test_everything_a_root_can_say_is_read(tmp_path: Path) -> None:
    found = root(
        tmp_path,
        """\
system = "small"
hostname = "rescue"
overlays = ["early"]
flags.c = "-Os"
features.openssl = {zlib = false}
features.bash.static = true
fragments.linux = ["b.fragment"]
login.root_password = "*"
login.authorized_keys = []
image.formats = ["ext4", "squashfs"]
image.size_mib = 64
[[roots.early.unhardened]]
path = "/opt/y"
lacks = ["relro"]
reason = "bought, too"
""",
    )
    made = found.configuration
    assert (made.cflags, found.system, found.hostname) == ("-Os", "small", "rescue")
    assert made.features == {
        ("openssl", "zlib"): "off",
        ("openssl", "asm"): "off",
        ("bash", "static"): "on",
    }
    assert made.fragments == {"linux": ("b.fragment",)}
    assert found.overlays == ("early",)
    assert found.login == Login(root_password="*", authorized_keys=())
    assert (found.formats, found.size_mib) == (("ext4", "squashfs"), 64)
    assert found.unhardened == (Unhardened("/opt/y", lacks=("relro",), reason="bought, too"),)


def test_roots_are_sorted_and_a_board_without_them_has_none(tmp_path: Path) -> None:
    found = load(tmp_path, "[roots.a]\npackages = []\n[roots.z]\npackages = []\n")
    assert [each.name for each in found.roots] == ["a", "early", "z"]
    assert found.own.packages == ("busybox",) and found.own.name == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("target = 'x'\n", "configs/one.toml: unknown key roots.early.target"),
        ("data.size_mib = 0\n", "configs/one.toml: unknown key roots.early.data"),
        ("overlays = 'x'\n", "roots.early.overlays must be a list of strings, not 'x'"),
        ("system = '../base'\n", "roots.early.system is not a valid name: '../base'"),
        ("overlays = ['../x']\n", "roots.early.overlays must contain paths below their tree"),
        ("features.openssl.zlib = 1\n", "roots.early.features.openssl.zlib must be true, false"),
        (
            "image.formats = ['iso']\n",
            "roots.early.image.formats must be some of ext4, squashfs, cpio.gz, not 'iso'",
        ),
        ("image.size = 3\n", "unknown key roots.early.image.size"),
        ("flags.cc = ''\n", "unknown key roots.early.flags.cc"),
        ("login.root = ''\n", "unknown key roots.early.login.root"),
        ("login.authorized_keys = ['x']\n", "roots.early.login.authorized_keys[0] is not a public"),
        ("[roots.late]\n", "configs/one.toml: roots.late.packages is missing"),
        ("[roots]\nlate = 3\n", "roots.late must be a table, not 3"),
        ("[roots.Late]\npackages = []\n", "roots.Late is not a valid root name"),
        ("[roots.'a/b']\npackages = []\n", "roots.a/b is not a valid root name"),
        ("[roots.build]\npackages = []\n", "roots.build cannot name a root"),
        ("[roots.unfinished]\npackages = []\n", "roots.unfinished cannot name a root"),
        ("[roots.images]\npackages = []\n", "roots.images cannot name a root"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_root(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text).message


def test_a_root_lists_fragments_instead_of_the_boards_and_its_edits_come_last(
    tmp_path: Path,
) -> None:
    def of(text: str, package: str) -> dict[str, str]:
        chosen = load(tmp_path, text)
        own = Fragments(Trees(tmp_path), chosen.configuration)
        return Fragments(Trees(tmp_path), chosen.roots[0].configuration, own).of(package)

    boards = {"board-0-a.fragment": "a.fragment"}
    assert of("", "busybox") == boards
    assert of("fragments.linux = ['b.fragment']\n", "busybox") == boards
    assert of("fragments.busybox = []\n", "busybox") == {}
    edited, inner = "configs/one/busybox.fragment", "configs/one/early/busybox.fragment"
    for path in (edited, inner):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    both = {"board-busybox.fragment": edited, "root-busybox.fragment": inner}
    assert of("", "busybox") == boards | both
    assert of("fragments.busybox = ['c.fragment']\n", "busybox") == {
        "board-0-c.fragment": "c.fragment",
        "root-busybox.fragment": inner,
    }
