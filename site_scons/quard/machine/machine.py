"""A machine that QEMU emulates, read from `qemu/NAME.toml` and validated."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.base.record import Record, record
from quard.base.table import Table, read

_REASON = "bad-machine"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
DEVICE = rf"{NAME}(,{NAME}=[^,\s]+)*"
NODE = r"/dev/[A-Za-z0-9/]+"
LINE = r"[^\x00-\x1f\x7f]+"
SECURITY_MODELS = ("mapped-file", "mapped-xattr", "none", "passthrough")
PROTOCOLS = ("tcp", "udp")
ACCELERATORS = ("auto", "kvm", "tcg")
_OWN = 4
"""In QEMU's user network, the host is .2, the name server .3, a file server .4 (qemu(1))."""


@record
class Forward(Record):
    """A host port that is forwarded to a guest port."""

    protocol: str
    host: int
    guest: int


@record
class Network(Record):
    """QEMU's user-mode network.

    device     -- QEMU's device model, with its properties
    subnet     -- as in 192.168.31.0/24
    dhcp_start -- the first address that DHCP assigns, and the target of forwards
    """

    device: str
    subnet: str
    dhcp_start: str
    forwards: tuple[Forward, ...]


@record
class Disk(Record):
    """The disk with the root file system, and the data disk.

    node        -- the name of the first one in the guest
    data_device -- of the data disk
    """

    device: str
    node: str
    data_device: str


@record
class Share(Record):
    """A folder of the host shared with the guest by 9p; the guest mounts `tag`."""

    device: str
    tag: str
    security_model: str


@record
class Kvm(Record):
    """What runs the machine on the processors of the host instead of emulating its own.

    processors -- those of hosts that can, as uname(2) names them; none: it is always emulated
    cpu        -- QEMU's name of the processor then
    options    -- further arguments for QEMU then
    """

    processors: tuple[str, ...] = ()
    cpu: str = ""
    options: tuple[str, ...] = ()


@record
class Machine(Record):
    """Everything that is the same at every start.

    file         -- what messages call its file
    binary       -- QEMU's program, found on PATH
    host_packages -- Debian packages that contain it, by release: any of them
    machine, cpu -- QEMU's names; `cpu` empty: the machine's own default
    accel        -- auto: KVM where it can be used; kvm: nothing else; tcg: never
    firmware, kernel -- file names in the images folder; `firmware` empty: QEMU's own, or none
    devicetree   -- file name of the device tree there; empty: QEMU makes one
    loaded       -- (file name there, address): files that are in memory before anything runs
    console      -- the kernel's name of QEMU's first serial port
    command_line -- further kernel parameters
    panic_words  -- kernel parameters with which a panic ends QEMU with status 3
    options      -- further arguments for QEMU
    random       -- QEMU's device model of the random number source
    """

    name: str
    file: str
    summary: str
    binary: str
    host_packages: tuple[str, ...]
    machine: str
    cpu: str
    cpus: int
    memory_mib: int
    firmware: str
    kernel: str
    devicetree: str
    loaded: tuple[tuple[str, int], ...]
    console: str
    command_line: tuple[str, ...]
    panic_words: tuple[str, ...]
    options: tuple[str, ...]
    network: Network
    disk: Disk
    share: Share
    random: str
    accel: str
    kvm: Kvm


def load(path: Path, file: str = "") -> Machine:
    """Read one machine; its name is the file's.

    file -- what messages call the file; "": its path from the folder above
    Raises QuardError "bad-machine" for a file that is missing or is not TOML, and for a key that
    is unknown, missing, of the wrong type or out of range.
    """
    if not os.path.lexists(path):
        raise _missing(path)
    file = file or f"{path.parent.name}/{path.name}"
    table = read(path, file, _REASON)
    machine = Machine(
        name=path.stem,
        file=file,
        summary=_text(table, "summary", LINE),
        binary=_text(table, "binary", NAME),
        host_packages=_names(table, "host_packages"),
        machine=_text(table, "machine", DEVICE),
        cpu=_text(table, "cpu", f"({DEVICE})?", ""),
        cpus=_number(table, "cpus", 1, 512),
        memory_mib=_number(table, "memory_mib", 16, 1 << 20),
        firmware=_text(table, "firmware", f"({NAME})?", ""),
        kernel=_text(table, "kernel", NAME),
        devicetree=_text(table, "devicetree", f"({NAME})?", ""),
        loaded=_loaded(table.table("loaded")),
        console=_text(table, "console", NAME),
        command_line=_words(table, "command_line"),
        panic_words=_words(table, "panic_words", ()),
        options=_words(table, "options"),
        network=_network(table.table("network")),
        disk=_disk(table.table("disk")),
        share=_share(table.table("share")),
        random=_random(table.table("random")),
        accel=table.choice("accel", ACCELERATORS, ACCELERATORS[0]),
        kvm=_kvm(table.table("kvm")),
    )
    table.finish()
    return machine


def _missing(path: Path) -> QuardError:
    known = sorted(file.stem for file in path.parent.glob("*.toml"))
    return QuardError(
        f"there is no machine {path.stem!r}",
        detail=f"{path.parent.name}/{path.name} does not exist; there are: {', '.join(known)}",
        reason=_REASON,
        hint=meant(path.stem, known, "add the file; qemu/virt.toml is an example"),
    )


def _loaded(table: Table) -> tuple[tuple[str, int], ...]:
    found = []
    for name in table.names():
        address = table.number(name)
        if not re.fullmatch(NAME, name) or not 0 <= address < 1 << 63:
            raise table.error(
                name, "must be the name of a file in the images folder, and an address"
            )
        found.append((name, address))
    return tuple(found)


def _network(table: Table) -> Network:
    device = _text(table, "device", DEVICE)
    subnet = table.text("subnet")
    start = table.text("dhcp_start")
    try:
        net, first = ipaddress.IPv4Network(subnet), ipaddress.IPv4Address(start)
    except ValueError as error:
        raise table.error("subnet", f"or dhcp_start is not an address: {error}") from None
    if first not in net:
        raise table.error("dhcp_start", f"is outside of the subnet: {start}, {subnet}")
    if not net[0] + _OWN < first < net[-1]:
        text = f"must be an address after QEMU's own, {net[0]} + {_OWN}, and before {net[-1]}"
        raise table.error("dhcp_start", text)
    forwards = _forwards(table)
    table.finish()
    return Network(device, subnet, start, forwards)


def _forwards(table: Table) -> tuple[Forward, ...]:
    if "forwards" not in table.names():
        raise table.error("forwards", "is missing")
    items = table.value("forwards")
    if not isinstance(items, list):
        raise table.error("forwards", f"must be a list, not {items!r}")
    forwards = tuple(_forward(table, item) for item in items)
    ports = [(forward.protocol, forward.host) for forward in forwards]
    for protocol, port in ports:
        if ports.count((protocol, port)) > 1:
            raise table.error("forwards", f"names {protocol} port {port} of the host twice")
    return forwards


def _forward(table: Table, item: object) -> Forward:
    match item:
        case [str(protocol), int(host), int(guest)] if (
            protocol in PROTOCOLS and _is_port(host) and _is_port(guest)
        ):
            return Forward(protocol, host, guest)
    raise table.error("forwards", f'must contain items like ["tcp", 3522, 22], not {item!r}')


def _is_port(value: int) -> bool:
    return not isinstance(value, bool) and 0 < value < 1 << 16


def _disk(table: Table) -> Disk:
    device, node = _text(table, "device", DEVICE), _text(table, "node", NODE)
    disk = Disk(device, node, _text(table, "data_device", DEVICE, device))
    table.finish()
    return disk


def _share(table: Table) -> Share:
    model = table.text("security_model")
    if model not in SECURITY_MODELS:
        hint = meant(model, SECURITY_MODELS, "")
        allowed = ", ".join(SECURITY_MODELS)
        raise table.error("security_model", f"must be one of {allowed}, not {model!r}", hint)
    share = Share(_text(table, "device", DEVICE), _text(table, "tag", NAME), model)
    table.finish()
    return share


def _random(table: Table) -> str:
    device = _text(table, "device", DEVICE)
    table.finish()
    return device


def _kvm(table: Table) -> Kvm:
    if not table.names():
        return Kvm()
    found = Kvm(
        _names(table, "processors"), _text(table, "cpu", DEVICE), _words(table, "options", ())
    )
    table.finish()
    return found


def _text(table: Table, key: str, pattern: str, default: str | None = None) -> str:
    value = table.text(key, default)
    if not re.fullmatch(pattern, value):
        raise table.error(key, f"must be of the form {pattern}, not {value!r}")
    return value


def _number(table: Table, key: str, low: int, high: int) -> int:
    value = table.number(key)
    if not low <= value <= high:
        raise table.error(key, f"must be from {low} to {high}, not {value}")
    return value


def _words(table: Table, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    words = table.texts(key, default)
    for word in words:
        if not re.fullmatch(LINE, word):
            raise table.error(key, f"must contain single lines, not {word!r}")
    return words


def _names(table: Table, key: str) -> tuple[str, ...]:
    names = table.texts(key)
    if not names or not all(re.fullmatch(NAME, name) for name in names):
        raise table.error(key, f"must contain names of the form {NAME}, not {list(names)!r}")
    return names
