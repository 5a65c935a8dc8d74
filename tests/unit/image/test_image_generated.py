from __future__ import annotations

from collections.abc import Sequence

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.accounts import Account, Accounts, Group
from quard.image.generated import files
from quard.image.tree import Node

PEOPLE = Accounts((Account("root", 0, 0, "/root", "/bin/sh", "", "*"),), (Group("root", 0, ()),))


def made(
    hostname: str = "box", release: dict[str, str] | None = None, keys: Sequence[str] = ()
) -> dict[str, Node]:
    made = files(hostname, release or {}, keys, PEOPLE)
    return {path: node for path, node, _ in made}


def text(node: Node) -> str:
    assert node.content is not None
    return node.content.read().decode()


def refused(**arguments: object) -> QuardError:
    with pytest.raises(QuardError) as caught:
        made(**arguments)  # type: ignore[arg-type]
    return caught.value


def test_shadow_is_roots_alone() -> None:
    found = made()
    assert found["etc/shadow"].mode == 0o600
    assert found["etc/passwd"].mode == 0o644


def test_hostname_is_one_line() -> None:
    assert text(made("box-1.example")["etc/hostname"]) == "box-1.example\n"


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a b", "a..b", "x" * 64, "a.b" * 30])
def test_bad_hostname_is_refused(name: str) -> None:
    assert refused(hostname=name).reason == "bad-hostname"


def test_release_is_sorted_and_quoted_for_the_shell() -> None:
    found = made(release={"NAME": 'a "b" $c `d` \\', "ID": "q"})
    assert text(found["usr/lib/os-release"]) == ('ID="q"\nNAME="a \\"b\\" \\$c \\`d\\` \\\\"\n')
    assert found["etc/os-release"].target == "../usr/lib/os-release"


@pytest.mark.parametrize("release", [{"name": "x"}, {"A-B": "x"}, {"NAME": "x\ny"}])
def test_bad_release_field_is_refused(release: dict[str, str]) -> None:
    assert refused(release=release).reason == "bad-release"


def test_no_keys_no_file() -> None:
    assert not any(path.startswith("root") for path in made())


def test_keys_are_for_root_alone_and_stand_once() -> None:
    found = made(keys=(parts.KEY, f"  {parts.KEY}\n", 'no-pty,command="ls -l" ' + parts.KEY))
    assert found["root/.ssh"].mode == 0o700
    assert found["root/.ssh/authorized_keys"].mode == 0o600
    lines = text(found["root/.ssh/authorized_keys"]).splitlines()
    assert lines[0] == parts.KEY
    assert lines[-1].startswith("no-pty")


@pytest.mark.parametrize(
    "key",
    [
        "~/.ssh/id_ed25519.pub",
        "",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n",
        parts.KEY.replace("ssh-ed25519", "ssh-rsa"),
        parts.KEY.replace("AAAAC3", "AAAAC!"),
        parts.KEY + "\n" + parts.KEY,
    ],
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    error = refused(keys=(key,))
    assert error.reason == "bad-key"
    assert "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU" not in error.block()
