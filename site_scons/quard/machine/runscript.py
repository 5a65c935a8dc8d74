"""`images/run.sh`: the only implementation of starting a machine, for the script's own folder.

`./scons run` also runs this script.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.names import meant
from quard.boards.tables import FORMATS
from quard.machine import qemu
from quard.machine.machine import Machine

SETTINGS = (
    "ACCEL",
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
ROOTS = {name: name.partition(".")[0] for name in FORMATS}
"""Format of a root file system -> its value of the setting ROOT; qemu/run has the code for it."""
PARTS = ("settings.sh", "forwards.sh", "roots.sh", "data.sh", "start.sh")
"""Files of `qemu/run`, in their order in the script."""
_PLACEHOLDER = re.compile(r"@([a-z_]+)@")
_CORRECT = "correct the file below qemu/run"
_IF = re.compile(r"#@if (\w+(?: or \w+)*)")


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


def script(
    machine: Machine, template: str, *, board: str, data: str, formats: tuple[str, ...]
) -> str:
    """Return the text of run.sh: what `template` (all parts) has for this machine and board.

    The lines between `#@if WORD or WORD` and `#@end` are only for boards and machines with one of
    these: ext4, squashfs, cpio (root file systems), bootable (any of them), unbootable, data (a
    data disk), panic (a panic ends QEMU), firmware, devicetree, loaded (some of the images), kvm
    (processors of some hosts can run the machine), emulated (those of none can). `@word@` is
    replaced by the machine's value, quoted.

    board   -- its name
    data    -- file name of the data disk's template; "": the board has none
    formats -- of the board's root file system
    Raises QuardError bad-template for a condition or placeholder that does not exist.
    """
    roots = tuple(ROOTS[name] for name in formats)
    kept = "".join(_chosen(template, _conditions(machine, roots, data)))
    words = {**_words(machine), **_board_words(board, data, roots)}
    unknown = sorted({word for word in _PLACEHOLDER.findall(kept) if word not in words})
    if unknown:
        hint = meant(unknown[0], words, "remove it from the file below qemu/run")
        raise _bad(f"an unknown placeholder @{unknown[0]}@", words, hint)
    return _PLACEHOLDER.sub(lambda match: words[match[1]], kept)


def _conditions(machine: Machine, roots: tuple[str, ...], data: str) -> dict[str, bool]:
    return {
        **{name: name in roots for name in ROOTS.values()},
        "bootable": bool(roots),
        "unbootable": not roots,
        "data": bool(data),
        "panic": bool(machine.panic_words),
        "firmware": bool(machine.firmware),
        "kvm": bool(machine.kvm.processors),
        "emulated": not machine.kvm.processors,
        "devicetree": bool(machine.devicetree),
        "loaded": bool(machine.loaded),
    }


def _chosen(template: str, conditions: Mapping[str, bool]) -> Iterator[str]:
    """Yield the lines whose conditions hold."""
    open_: list[bool] = []
    for line in template.splitlines(keepends=True):
        if not line.startswith("#@"):
            if all(open_):
                yield line
        elif line == "#@end\n" and open_:
            open_.pop()
        elif condition := _IF.fullmatch(line.rstrip("\n")):
            words = condition[1].split(" or ")
            for word in words:
                if word not in conditions:
                    hint = meant(word, conditions, _CORRECT)
                    raise _bad(f"an unknown condition {word!r}", conditions, hint)
            open_.append(any(conditions[word] for word in words))
        else:
            raise _bad(f"the line {line.rstrip()!r}", ("#@if WORD or WORD", "#@end"))
    if open_:
        raise _bad("a condition without #@end", ("#@if WORD or WORD", "#@end"))


def _bad(what: str, known: Iterable[str], hint: str = _CORRECT) -> QuardError:
    return QuardError(
        f"qemu/run has {what}",
        detail="known: " + ", ".join(sorted(known)),
        reason="bad-template",
        hint=hint,
    )


def _board_words(board: str, data: str, roots: tuple[str, ...]) -> dict[str, str]:
    first = "ext4" if "ext4" in roots else next(iter(roots), "")
    return {
        "board": shlex.quote(board),
        "data_file": shlex.quote(data),
        "root": first,
        "roots": " ".join(roots),
    }


def _words(machine: Machine) -> dict[str, str]:
    texts = {
        "accel": machine.accel,
        "binary": machine.binary,
        "firmware": machine.firmware,
        "devicetree": machine.devicetree,
        "kernel": machine.kernel,
        "kernel_words": qemu.kernel_words(machine),
        "panic_words": " ".join(machine.panic_words),
        "machine": machine.machine,
        "machine_file": machine.file,
        "forward": qemu.forward_setting(machine.network.forwards),
        "network": qemu.network(machine),
        "network_device": f"{machine.network.device},netdev=net0",
        "disk_device": f"{machine.disk.device},drive=root",
        "disk_node": machine.disk.node,
        "memory_mib": str(machine.memory_mib),
        "data_device": f"{machine.disk.data_device},drive=data",
        "share": qemu.share(machine),
        "share_device": f"{machine.share.device},fsdev=share,mount_tag={machine.share.tag}",
    }
    quoted = {name: shlex.quote(text) for name, text in texts.items()}
    quoted["summary"] = machine.summary
    quoted["host_packages"] = " or ".join(machine.host_packages)
    quoted["kvm_processors"] = " ".join(machine.kvm.processors)
    quoted["loaded"] = shlex.join(name for name, _ in machine.loaded)
    quoted["load_devices"] = qemu.load_devices(machine)
    quoted["fixed_arguments"] = shlex.join(qemu.fixed_arguments(machine))
    quoted["emulated"] = shlex.join(qemu.emulated(machine))
    quoted["accelerated"] = shlex.join(qemu.accelerated(machine))
    return quoted
