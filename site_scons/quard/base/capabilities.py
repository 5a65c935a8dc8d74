"""Capabilities of programs: the text of setcap(8), and the attribute that the kernel reads.

The text is that of cap_from_text(3) in libcap: `cap_net_raw,cap_net_admin+ep`. Numbers and layout
are those of <linux/capability.h>: struct vfs_cap_data of VFS_CAP_REVISION_2 has five little-endian
32-bit words, the revision with the flag VFS_CAP_FLAGS_EFFECTIVE, then the low words of the
permitted and the inheritable set, then their high words.
"""

from __future__ import annotations

import re
import struct

from quard.base.names import near

_NAMES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable"
    " net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio"
    " sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time"
    " sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog"
    " wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split()
"""In the order of their numbers, from CAP_CHOWN = 0 on."""
_NUMBERS = {f"cap_{name}": number for number, name in enumerate(_NAMES)}
_REVISION = 0x02000000
_ROOTED = 0x03000000
"""VFS_CAP_REVISION_3, which a user namespace writes: the user that root is there comes last."""
_EFFECTIVE = 1
_SETS = {"e": "effective", "i": "inheritable", "p": "permitted"}
_CLAUSE = re.compile(r"([^-+=]*)([-+=])(.*)")


def encode(text: str) -> bytes:
    """Return the value of the attribute security.capability, 20 bytes.

    Raises ValueError, whose text says what is wrong and how to write it.
    """
    permitted = inheritable = 0
    effective: dict[str, bool] = {}
    for clause in re.sub(r"\s*,\s*", ",", text).split():
        names, sets = _parted(clause)
        for name in names:
            if name in effective:
                raise ValueError(f"{name} is named twice")
            effective[name] = "e" in sets
            permitted |= ("p" in sets) << _NUMBERS[name]
            inheritable |= ("i" in sets) << _NUMBERS[name]
    if not effective:
        raise ValueError("it names no capability: write one as 'cap_net_raw+ep'")
    if len({*effective.values()}) > 1:
        raise ValueError("the set e is one flag of the file: give it to all capabilities or none")
    flag = _EFFECTIVE if all(effective.values()) else 0
    low = (number & 0xFFFFFFFF for number in (permitted, inheritable))
    high = (number >> 32 for number in (permitted, inheritable))
    return struct.pack("<5I", _REVISION | flag, *low, *high)


def decode(value: bytes) -> str:
    """Return a text that `encode` accepts, in one form, as getcap(8) shows it.

    Empty for a value of another revision, or with capabilities that have no name yet.
    """
    if len(value) not in (20, 24):
        return ""
    revision, permitted, inheritable, high_permitted, high_inheritable = struct.unpack_from(
        "<5I", value
    )
    permitted |= high_permitted << 32
    inheritable |= high_inheritable << 32
    if revision & ~_EFFECTIVE not in (_REVISION, _ROOTED):
        return ""
    if (permitted | inheritable) >> len(_NAMES):
        return ""
    flag = "e" if revision & _EFFECTIVE else ""
    groups: dict[str, list[str]] = {}
    for name, number in _NUMBERS.items():
        sets = "i" * (inheritable >> number & 1) + "p" * (permitted >> number & 1)
        if sets:
            groups.setdefault(flag + sets, []).append(name)
    return " ".join(f"{','.join(names)}={sets}" for sets, names in sorted(groups.items()))


def _parted(clause: str) -> tuple[list[str], str]:
    """Return the names and the sets of one clause, which is a text without blanks."""
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        names = _known(clause)
        raise ValueError(f"{clause!r} lacks the sets: write '{','.join(names)}+ep'")
    before, operator, sets = found.groups()
    if operator == "-":
        raise ValueError(f"{clause!r}: a file has no capabilities that `-` could take away")
    if not sets or not {*sets} <= {*_SETS}:
        known = ", ".join(f"{letter} ({word})" for letter, word in _SETS.items())
        raise ValueError(f"{clause!r}: the sets are {known}, as in '+ep'")
    if sets == "e":
        raise ValueError(f"{clause!r}: e has no effect without p: write '{before}+ep'")
    return _known(before), sets


def _known(names: str) -> list[str]:
    found = names.lower().split(",")
    for name in found:
        if name in ("", "all"):
            raise ValueError("it means all capabilities of a kernel: name those that are needed")
        if name not in _NUMBERS:
            raise ValueError(f"there is no capability {name!r}{near(name, _NUMBERS)}")
    return found
