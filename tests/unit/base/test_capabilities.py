"""Capabilities as text and as the attribute, against the kernel's header and libcap's setcap."""

from __future__ import annotations

import errno
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from quard.base import capabilities
from quard.base.attributes import CAPABILITY

HEADERS = ("/usr/include/linux/capability.h", "/usr/riscv64-linux-gnu/include/linux/capability.h")
NET_RAW, SETUID, BPF = 1 << 13, 1 << 7, 1 << 39 - 32
TEXTS = {
    "cap_net_raw+ep": (1, NET_RAW, 0, 0, 0),
    "cap_net_raw=ep": (1, NET_RAW, 0, 0, 0),
    "cap_net_raw=p": (0, NET_RAW, 0, 0, 0),
    "CAP_NET_RAW,cap_setuid+eip": (1, NET_RAW | SETUID, NET_RAW | SETUID, 0, 0),
    "cap_setuid+p cap_net_raw+i": (0, SETUID, NET_RAW, 0, 0),
    "cap_bpf, cap_net_raw+ei": (1, 0, NET_RAW, 0, BPF),
    "cap_bpf+ep": (1, 0, 0, BPF, 0),
}


def attribute(flag: int, permitted: int, inheritable: int, high: int, high_i: int) -> bytes:
    return struct.pack("<5I", 0x02000000 | flag, permitted, inheritable, high, high_i)


@pytest.mark.parametrize("text", TEXTS)
def test_text_becomes_the_kernels_structure_and_a_text_that_means_the_same(text: str) -> None:
    value = capabilities.encode(text)
    assert value == attribute(*TEXTS[text])
    assert capabilities.encode(capabilities.decode(value)) == value


def test_text_of_an_attribute_is_that_of_getcap() -> None:
    shown = capabilities.decode(capabilities.encode("cap_net_raw+eip cap_net_admin+eip"))
    assert shown == "cap_net_admin,cap_net_raw=eip"
    shown = capabilities.decode(capabilities.encode("cap_net_raw+p cap_kill,cap_chown+ip"))
    assert shown == "cap_chown,cap_kill=ip cap_net_raw=p"


def test_names_have_the_numbers_of_the_kernels_header() -> None:
    header = next((Path(name) for name in HEADERS if Path(name).exists()), None)
    if header is None:
        pytest.skip(f"none of the kernel's headers is here: {', '.join(HEADERS)}")
    found = re.findall(r"^#define (CAP_\w+)\s+(\d+)$", header.read_text(encoding="utf-8"), re.M)
    assert len(found) > 30
    for name, number in found:
        *_, low, _, high, _ = struct.unpack("<5I", capabilities.encode(f"{name}+p"))
        assert low | high << 32 == 1 << int(number), name


@pytest.mark.skipif(os.geteuid() != 0, reason="file capabilities are given by root")
@pytest.mark.parametrize("text", [text for text in TEXTS if ", " not in text])
def test_setcap_writes_the_same_attribute(text: str, tmp_path: Path) -> None:
    setcap = shutil.which("setcap", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if setcap is None:
        pytest.skip("setcap (libcap2-bin) is not installed")
    file = tmp_path / "file"
    file.touch()
    try:
        os.setxattr(file, "security.capability", capabilities.encode("cap_kill+p"))
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise
        pytest.skip(f"no file capabilities in {tmp_path}: {error.strerror}")
    subprocess.run([setcap, text, str(file)], check=True)
    assert os.getxattr(file, CAPABILITY) == capabilities.encode(text)


WRONG = {
    "": "names no capability",
    "  ": "names no capability",
    "cap_net_raw": "write 'cap_net_raw+ep'",
    "cap_net_raw,CAP_KILL": "write 'cap_net_raw,cap_kill+ep'",
    "net_raw+ep": "no capability 'net_raw'; did you mean 'cap_net_raw'?",
    "cap_net_rwa+ep": "did you mean 'cap_net_raw'?",
    "all+ep": "name those that are needed",
    "=ep": "name those that are needed",
    "cap_net_raw,+ep": "name those that are needed",
    "cap_net_raw-e": "could take away",
    "cap_net_raw+": "as in '+ep'",
    "cap_net_raw+x": "the sets are e (effective), i (inheritable), p (permitted)",
    "cap_net_raw+EP": "the sets are",
    "cap_net_raw+e": "write 'cap_net_raw+ep'",
    "cap_net_raw+e-p": "the sets are",
    "cap_net_raw+p cap_net_raw+i": "cap_net_raw is named twice",
    "cap_net_raw,cap_net_raw+p": "cap_net_raw is named twice",
    "cap_net_raw+ep cap_kill+p": "the set e is one flag of the file",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_no_file_can_have_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        capabilities.encode(text)
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"x" * 20,
        struct.pack("<3I", 0x01000001, NET_RAW, 0),
        struct.pack("<5I", 0x04000000, NET_RAW, 0, 0, 0),
        struct.pack("<5I", 0x02000000, 0, 0, 1 << 30, 0),
    ],
)
def test_attributes_of_other_forms_have_no_text(value: bytes) -> None:
    assert capabilities.decode(value) == ""


def test_the_attribute_of_a_user_namespace_has_the_same_text() -> None:
    value = struct.pack("<6I", 0x03000001, NET_RAW, 0, 0, 0, 1000)
    assert capabilities.decode(value) == "cap_net_raw=ep"
