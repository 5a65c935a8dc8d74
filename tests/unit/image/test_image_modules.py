"""The index of kernel modules, made of the modules themselves."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import modules
from quard.image.content import Content
from quard.image.tree import Node, Origin, Tree

LINUX = Origin("package", "linux")
FOLDER = "usr/lib/modules/6.12.1"
Compile = Callable[..., bytes]


@pytest.fixture
def module(tmp_path: Path) -> Compile:
    """Compiles a module with fields of modinfo, and symbols that it exports."""

    def compiled(*fields: str, exports: str = "") -> bytes:
        text = "\\0".join(fields)
        code = f'__attribute__((section(".modinfo"), used)) static const char info[] = "{text}";\n'
        code += f"int __ksymtab_{exports};\n" if exports else ""
        return parts.compile_c(tmp_path, "module", code, "-c")

    return compiled


def tree(**files: bytes | str) -> Tree:
    """Return a tree with files below the modules' folder: path, with __ for a slash."""
    made = Tree()
    for name, data in files.items():
        path = f"{FOLDER}/{name.replace('__', '/')}"
        if isinstance(data, str):
            node = Node("link", 0o777, target=data)
        else:
            node = Node("file", 0o644, content=Content(len(data), data))
        made.add(path, node, LINUX)
    return made


def index(made: Tree) -> dict[str, list[str]]:
    """Return the lines of each index file, by the end of its name."""
    found = {}
    for each in modules.index(made):
        assert not isinstance(each, QuardError), each
        path, node = each
        assert (node.kind, node.mode, node.uid, node.gid) == ("file", 0o644, 0, 0)
        assert node.content is not None
        found[path.removeprefix(f"{FOLDER}/modules.")] = node.content.read().decode().splitlines()
    return found


def errors(made: Tree) -> list[QuardError]:
    return [each for each in modules.index(made) if isinstance(each, QuardError)]


def test_image_without_modules_gets_no_index() -> None:
    assert index(tree()) == {}
    assert index(tree(**{"modules.builtin": b"kernel/fs/a.ko\n"})) == {}


def test_what_a_module_needs_is_listed_with_what_that_needs_behind_it(module: Compile) -> None:
    made = tree(
        **{
            "kernel__a.ko": module("depends=c_d,b"),
            "kernel__b.ko": module("depends=c-d"),
            "kernel__net__c-d.ko": module("depends="),
        }
    )
    assert index(made)["dep"] == [
        "kernel/a.ko: kernel/b.ko kernel/net/c-d.ko",
        "kernel/b.ko: kernel/net/c-d.ko",
        "kernel/net/c-d.ko:",
    ]


def test_aliases_and_exported_symbols_lead_to_the_modules_own_name(module: Compile) -> None:
    made = tree(**{"kernel__x-y.ko": module("alias=rtnl-link-x", "alias=b:d[0-9]*", exports="f")})
    found = index(made)
    assert found["alias"] == ["alias rtnl-link-x x_y", "alias b:d[0123456789]* x_y"]
    assert found["symbols"] == ["alias symbol:f x_y"]


@pytest.mark.parametrize(
    ("pattern", "spelled"),
    [
        ("usb:v0[0-9A-C]p*", "usb:v0[0123456789ABC]p*"),
        ("a-b[c-e]", "a-b[cde]"),
        ("a[bc]d-e", "a[bc]d-e"),
        ("a[!0-2]", "a[!012]"),
        ("a*", "a*"),
    ],
)
def test_ranges_of_an_alias_are_spelled_out(pattern: str, spelled: str) -> None:
    assert modules.spelled_out(pattern) == spelled


def test_a_module_below_updates_takes_the_place_of_the_kernels_own(module: Compile) -> None:
    files = {
        "kernel__a.ko": module("alias=old"),
        "updates__a.ko": module("alias=new"),
        "extra__c.ko": module("depends=a"),
    }
    found = index(tree(**files))
    assert found["dep"] == ["extra/c.ko: updates/a.ko", "updates/a.ko:"]
    assert found["alias"] == ["alias new a"]


def test_modules_that_need_each_other_do_not_end_in_a_circle(module: Compile) -> None:
    made = tree(**{"a.ko": module("depends=b"), "b.ko": module("depends=a")})
    assert index(made)["dep"] == ["a.ko: b.ko", "b.ko: a.ko"]


def test_a_chain_of_modules_may_be_longer_than_the_stack_is_deep(module: Compile) -> None:
    count = 1200
    data = module("depends=m0000")
    files = {
        f"m{number:04}.ko": data.replace(b"=m0000", b"=m%04d" % (number + 1))
        for number in range(count - 1)
    }
    dep = index(tree(**files, **{f"m{count - 1:04}.ko": module("depends=")}))["dep"]
    names = [f"m{number:04}.ko" for number in range(count)]
    assert dep[0] == f"m0000.ko: {' '.join(names[1:])}"
    assert dep[-2:] == [f"{names[-2]}: {names[-1]}", f"{names[-1]}:"]


def test_each_kernel_version_has_its_own_index(module: Compile) -> None:
    made = tree(**{"a.ko": module()})
    data = module("depends=")
    other = Node("file", 0o644, content=Content(len(data), data))
    made.add("usr/lib/modules/7.0/b.ko", other, LINUX)
    paths = [each[0] for each in modules.index(made) if not isinstance(each, QuardError)]
    assert sorted(paths) == [
        f"usr/lib/modules/{version}/modules.{name}"
        for version in ("6.12.1", "7.0")
        for name in ("alias", "dep", "symbols")
    ]


def test_all_that_cannot_be_indexed_is_told_at_once(module: Compile) -> None:
    made = tree(
        **{
            "a.ko": b"\x7fELF is how it begins",
            "b.ko.xz": b"packed",
            "c.ko": module("depends=gone,lost"),
            "d.ko": module(),
        }
    )
    found = {error.reason: error for error in errors(made)}
    assert set(found) == {"bad-elf", "compressed-module", "missing-module"}
    assert f"/{FOLDER}/a.ko" in found["bad-elf"].message
    assert "CONFIG_MODULE_COMPRESS" in found["compressed-module"].hint
    assert found["missing-module"].detail == "gone\nlost"
    for error in found.values():
        assert "package linux" in error.message and error.hint


def test_a_stripped_module_still_says_all_that_the_index_holds(
    module: Compile, tmp_path: Path
) -> None:
    path = tmp_path / "stripped.ko"
    path.write_bytes(module("alias=kept", "depends=", exports="kept"))
    subprocess.run(["riscv64-linux-gnu-strip", "--strip-debug", path], check=True)
    found = index(tree(**{"s.ko": path.read_bytes()}))
    assert found["alias"] == ["alias kept s"]
    assert found["symbols"] == ["alias symbol:kept s"]


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_module_is_one_clear_error_or_none(module: Compile, seed: int) -> None:
    """Whatever bytes are wrong, nothing but a QuardError comes out, and it names the module."""
    whole = module("alias=bus:net", "depends=", exports="f")
    chance = random.Random(seed)
    refused = 0
    for _ in range(300):
        data = bytearray(whole[: chance.choice((len(whole), chance.randrange(len(whole))))])
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data) or 1) : 1] = chance.randbytes(1)
        for error in errors(tree(**{"kernel__a.ko": bytes(data)})):
            assert error.reason in ("bad-elf", "missing-module")
            assert f"/{FOLDER}/kernel/a.ko of package linux" in error.message
            assert error.detail and error.hint
            refused += 1
    assert refused > 50


def test_a_module_whose_texts_are_not_utf_8_is_damaged(module: Compile) -> None:
    data = module("alias=bus:net").replace(b"bus:net", b"bus:\xff\xfet")
    (error,) = errors(tree(**{"a.ko": data}))
    assert error.reason == "bad-elf"
    assert error.message == f"/{FOLDER}/a.ko of package linux is a damaged kernel module"


def test_a_module_in_a_blob_is_indexed_as_one_in_memory(module: Compile, tmp_path: Path) -> None:
    data = module("alias=x", "depends=", exports="f")
    blob = tmp_path / "blob"
    blob.write_bytes(b"x" * 4096 + data)
    made = Tree()
    content = Content(len(data), path=blob, offset=4096)
    made.add(f"{FOLDER}/a.ko", Node("file", 0o644, content=content), LINUX)
    assert index(made) == index(tree(**{"a.ko": data}))
