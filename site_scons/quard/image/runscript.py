"""`images/run.sh`: the one implementation of starting a machine, written for its own folder.

`./scons run` runs this script too, so that the command exists once.
"""

from __future__ import annotations

import re
import shlex

from quard.image import qemu
from quard.image.machine import Machine

SETTINGS = (
    "APPEND",
    "DEBUG",
    "FORWARD",
    "FRESH",
    "NETWORK",
    "QEMU_ARGS",
    "ROOT",
    "SHARE",
    "SNAPSHOT",
    "STATE",
)
"""Names that the script takes as `NAME=value` arguments."""


def script(machine: Machine, template: str) -> str:
    """Return the text of run.sh: `template` (qemu/run.sh.in) with the machine's words, quoted.

    Raises KeyError for a placeholder (`@word@`) that does not exist: the template is ours.
    """
    words = _words(machine)
    return re.sub(r"@([a-z_]+)@", lambda match: words[match[1]], template)


def _words(machine: Machine) -> dict[str, str]:
    texts = {
        "binary": machine.binary,
        "host_package": machine.host_package,
        "firmware": machine.firmware,
        "kernel": machine.kernel,
        "kernel_words": qemu.kernel_words(machine),
        "machine_file": f"qemu/{machine.name}.toml",
        "forward": qemu.forward_setting(machine.network.forwards),
        "network": qemu.network(machine),
        "network_device": f"{machine.network.device},netdev=net0",
        "disk_device": f"{machine.disk.device},drive=root",
        "disk_node": machine.disk.node,
        "share": qemu.share(machine),
        "share_device": f"{machine.share.device},fsdev=share,mount_tag={machine.share.tag}",
    }
    quoted = {name: shlex.quote(text) for name, text in texts.items()}
    quoted["summary"] = machine.summary
    quoted["fixed_arguments"] = shlex.join(qemu.fixed_arguments(machine))
    return quoted
