"""quard.tools.lockfile: writing a lock, reading it, and refusing what is not one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tool_parts import locked

from quard.base.errors import QuardError
from quard.boards.targets import tools
from quard.boards.trees import Trees
from quard.tools import lockfile
from quard.tools.lock import Lock
from quard.tools.names import load as load_names

PROJECT = Path(__file__).resolve().parents[3]
BASH = locked("bash", "1:5-2", sha256="a" * 64, needs=("libc6",), commands=("bash", "rbash"))
LIBC = replace(BASH, name="libc6", needs=(), commands=(), includes=("glibc 2", "linux 6"))
LOCK = Lock(release="one", machine="amd64", packages={"libc6": LIBC, "bash": BASH})


def write(folder: Path, text: str) -> Path:
    path = folder / lockfile.name("one", "amd64")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return folder


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = lockfile.read(write(tmp_path, lockfile.text(LOCK)), "one", "amd64")
    assert found == LOCK
    assert lockfile.text(found) == lockfile.text(LOCK)


def test_a_lock_has_one_line_for_each_package_sorted() -> None:
    lines = lockfile.text(LOCK).splitlines()
    assert [line.startswith('{"commands"') for line in lines] == [False, True, True, False]
    assert '"name":"bash"' in lines[1]
    assert ["includes" in line for line in lines] == [False, False, True, False]
    assert json.loads(lockfile.text(LOCK))["release"] == "one"


def _field(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["packages"][0][name] = value

    return change


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["packages"][0].pop(name)


BAD: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (_field("size", "7"), "package 'bash' has a wrong size: '7'"),
    (_field("size", True), "package 'bash' has a wrong size: True"),
    (_field("size", 0), "package 'bash' has a wrong size: 0"),
    (_field("version", 5), "package 'bash' has a wrong version: 5"),
    (_field("needs", "libc6"), "package 'bash' has a wrong needs: 'libc6'"),
    (_field("commands", [1]), "package 'bash' has a wrong commands: [1]"),
    (_field("sha256", "abc"), "package 'bash' has a wrong sha256: 'abc'"),
    (_field("file", "../bash.deb"), "package 'bash' has a wrong file: '../bash.deb'"),
    (_field("file", "/bash.deb"), "package 'bash' has a wrong file: '/bash.deb'"),
    (_field("needs", ["libc7"]), "package 'bash' needs 'libc7', which is not in the lock"),
    (_field("name", "libc6"), "package 'libc6' is there twice"),
    (_field("more", 1), "package 'bash' does not have exactly the fields"),
    (_drop("source"), "package 'bash' does not have exactly the fields"),
    (lambda data: data["packages"].append(3), "package 3 does not have exactly the fields"),
    (lambda data: data.pop("packages"), "has no list of packages"),
    (lambda data: data.update(machine="arm64"), "is a lock for 'one' on 'arm64'"),
    (lambda data: data.update(release="two"), "is a lock for 'two' on 'amd64'"),
    (lambda data: data.update(dated="yesterday"), "has a wrong date: 'yesterday'"),
    (lambda data: data.update(dated=5), "has a wrong date: 5"),
]


@pytest.mark.parametrize(("change", "text"), BAD, ids=[text for _, text in BAD])
def test_a_wrong_lock_is_one_error_that_names_the_command(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], text: str
) -> None:
    data = json.loads(lockfile.text(LOCK))
    change(data)
    with pytest.raises(QuardError) as caught:
        lockfile.read(write(tmp_path, json.dumps(data)), "one", "amd64")
    assert text in caught.value.message
    assert "configs/tools/one-amd64.json" in caught.value.message
    assert caught.value.reason == "bad-tools"
    assert "./scons tools-update" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"packages": 3}', "\udcff"])
def test_what_is_no_lock_at_all_is_the_same_error(tmp_path: Path, text: str) -> None:
    place = write(tmp_path, "")
    (place / lockfile.name("one", "amd64")).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(QuardError) as caught:
        lockfile.read(place, "one", "amd64")
    assert caught.value.reason == "bad-tools"
    assert "./scons tools-update" in caught.value.hint


def test_a_lock_that_does_not_exist_is_an_error_that_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(QuardError, match="does not exist") as caught:
        lockfile.read(tmp_path, "one", "amd64")
    assert "./scons tools-update" in caught.value.hint


def test_a_name_that_the_lock_lacks_is_an_error(tmp_path: Path) -> None:
    names = replace(load_names(PROJECT), release="one")
    with pytest.raises(QuardError, match=r"does not have autoconf, .*make") as caught:
        lockfile.load(write(tmp_path, lockfile.text(LOCK)), names, "amd64")
    assert "./scons tools-update" in caught.value.hint


def test_a_package_with_epoch_and_any_letters_in_its_file_is_right(tmp_path: Path) -> None:
    odd = replace(BASH, file="pool/main/q/q/q_1%3a2+b~c_amd64.deb", needs=())
    lock = Lock(release="one", machine="amd64", packages={"bash": odd})
    assert lockfile.read(write(tmp_path, lockfile.text(lock)), "one", "amd64") == lock


def test_build_machines_have_debians_names() -> None:
    assert lockfile.machine("x86_64") == "amd64"
    assert lockfile.machine("aarch64") == "arm64"
    with pytest.raises(QuardError, match="processor, s390x") as caught:
        lockfile.machine("s390x")
    assert caught.value.reason == "no-pinned-tools"
    assert "x86_64" in caught.value.detail


@pytest.mark.parametrize("machine", sorted(lockfile.MACHINES.values()))
def test_the_projects_locks_are_as_the_command_writes_them(machine: str) -> None:
    names = load_names(PROJECT, tools(Trees(PROJECT), ""))
    lock = lockfile.load(PROJECT, names, machine)
    text = (PROJECT / lockfile.name(names.release, machine)).read_text()
    assert text == lockfile.text(lock)
    assert {package.name for package in lock.closure(names.all)} == lock.packages.keys()
    assert not names.omit & lock.packages.keys()
