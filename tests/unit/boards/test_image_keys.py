"""Lines of authorized_keys: what sshd would take, and nothing else."""

from __future__ import annotations

import image_parts as parts
import pytest

from quard.boards.keys import bad_key


@pytest.mark.parametrize(
    "line",
    [parts.KEY, parts.KEY.replace(" ", "\t"), 'no-pty,command="ls\t-l" ' + parts.KEY],
)
def test_a_key_is_taken_with_blanks_and_options_as_sshd_takes_them(line: str) -> None:
    assert bad_key(line) == ""


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "is not a public key of SSH: ''"),
        ("ssh-ed25519", "is not a public key of SSH: 'ssh-ed25519'"),
        (parts.KEY.replace("ed25519", "rsa"), "is not a public key of SSH: 'ssh-rsa AAAA"),
        (parts.KEY + "\x1b[2J", "is not a public key of SSH: 'ssh-ed25519 AAAA"),
        (parts.KEY + "\n" + parts.KEY, "is not a public key of SSH: 'ssh-ed25519 AAAA"),
        ("-----BEGIN RSA PRIVATE KEY-----", "is the beginning of a private key"),
    ],
)
def test_what_is_wrong_is_said_in_one_short_line(line: str, problem: str) -> None:
    found = bad_key(line)
    assert found.startswith(problem)
    assert found.isprintable() and len(found) < 100
