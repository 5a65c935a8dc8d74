"""udhcpc's calls of default.script."""

from __future__ import annotations

from guestroot import Guest, Result

SCRIPT = "/usr/share/udhcpc/default.script"
LEASE = {
    "ip": "192.168.31.100",
    "subnet": "255.255.255.0",
    "mask": "24",
    "broadcast": "192.168.31.255",
    "router": "192.168.31.2",
    "dns": "192.168.31.3",
    "serverid": "192.168.31.2",
    "lease": "86400",
}


def event(guest: Guest, name: str, interface: str = "eth0", **values: str) -> Result:
    """Run the script as udhcpc does; `values` are its variables."""
    return guest.run(SCRIPT, name, env={"interface": interface, **values})


def bound(guest: Guest, name: str = "bound", interface: str = "eth0", **values: str) -> Result:
    """A lease as QEMU gives it, changed by `values`."""
    return event(guest, name, interface, **{**LEASE, **values})


def routes(guest: Guest) -> list[str]:
    """What was done to routes, in order."""
    return [call for call in guest.called("ip") if " route " in call and "list" not in call]
