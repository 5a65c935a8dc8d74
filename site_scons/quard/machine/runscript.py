"""`images/run.sh`: the only implementation of starting a machine, for the script's own folder.

`./scons run` also runs this script.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.names import meant
from quard.machine import qemu
from quard.machine.machine import Machine

SETTINGS = (
    "APPEND",
    "DEBUG",
    "FORWARD",
    "FRESH",
    "NETWORK",
    "PANIC",
    "QEMU_ARGS",
    "ROOT",
    "SHARE",
    "SHARE_CACHE",
    "SNAPSHOT",
    "STATE",
)
"""Names that the script accepts as `NAME=value` arguments."""
_PLACEHOLDER = re.compile(r"@([a-z_]+)@")


PARTS = ("settings.sh", "forwards.sh", "disks.sh", "start.sh")
"""Files of `qemu/run`, in their order in the script."""


def template(folder: Path) -> str:
    """Return the parts of run.sh in `folder` as one text. Raises QuardError bad-template."""
    try:
        return "".join(given.text(folder / name) for name in PARTS)
    except (OSError, UnicodeDecodeError) as error:
        raise QuardError(
            "the parts of run.sh, qemu/run, cannot be read",
            detail=getattr(error, "strerror", "") or f"it is not UTF-8: {error}",
            reason="bad-template",
            hint="restore them, for example from git",
        ) from None


def script(machine: Machine, template: str, *, board: str, data: str) -> str:
    """Return the text of run.sh: `template` (all parts) with the machine's values, quoted.

    board -- its name
    data  -- file name of the data disk's template; "": the board has none
    Raises QuardError bad-template for a placeholder (`@word@`) that does not exist.
    """
    words = {
        **_words(machine),
        "board": shlex.quote(board),
        "data_file": shlex.quote(data),
    }
    unknown = sorted({word for word in _PLACEHOLDER.findall(template) if word not in words})
    if unknown:
        raise QuardError(
            f"qemu/run has an unknown placeholder @{unknown[0]}@",
            detail="known: " + ", ".join(sorted(words)),
            reason="bad-template",
            hint=meant(unknown[0], words, "remove it from the file below qemu/run"),
        )
    return _PLACEHOLDER.sub(lambda match: words[match[1]], template)


def _words(machine: Machine) -> dict[str, str]:
    texts = {
        "binary": machine.binary,
        "host_packages": " or ".join(machine.host_packages),
        "firmware": machine.firmware,
        "kernel": machine.kernel,
        "kernel_words": qemu.kernel_words(machine),
        "panic_words": " ".join(machine.panic_words),
        "machine_file": f"qemu/{machine.name}.toml",
        "forward": qemu.forward_setting(machine.network.forwards),
        "network": qemu.network(machine),
        "network_device": f"{machine.network.device},netdev=net0",
        "disk_device": f"{machine.disk.device},drive=root",
        "disk_node": machine.disk.node,
        "memory_mib": str(machine.memory_mib),
        "data_device": f"{machine.disk.device},drive=data",
        "share": qemu.share(machine),
        "share_device": f"{machine.share.device},fsdev=share,mount_tag={machine.share.tag}",
    }
    quoted = {name: shlex.quote(text) for name, text in texts.items()}
    quoted["summary"] = machine.summary
    quoted["fixed_arguments"] = shlex.join(qemu.fixed_arguments(machine))
    return quoted
