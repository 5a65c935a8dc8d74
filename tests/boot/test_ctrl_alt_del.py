"""Ctrl-Alt-Del on the machine's keyboard, pressed over QEMU's monitor protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from qemu.qmp import QMPClient

from boot.guest import Guests
from boot.lines import complaints

pytestmark = pytest.mark.boot


async def press(monitor: Path, *keys: str) -> None:
    client = QMPClient("test")
    await client.connect(str(monitor))
    try:
        codes = [{"type": "qcode", "data": key} for key in keys]
        await client.execute("send-key", {"keys": codes})
    finally:
        await client.disconnect()


def test_ctrl_alt_del_takes_the_system_down_in_order_and_starts_it_again(
    guests: Guests, tmp_path: Path
) -> None:
    monitor = tmp_path / "qmp"
    arguments = f"-qmp unix:{monitor},server=on,wait=off"
    guest = guests.start(SNAPSHOT="1", QEMU_ARGS=arguments)
    guest.boot()
    process = guest.child.pid
    asyncio.run(press(monitor, "ctrl", "alt", "delete"))
    again = guest.boot()
    order = ["Stopping sshd... OK", "Stopping network", "Requesting system reboot", "Starting sshd"]
    assert [again.index(line) for line in order] == sorted(again.index(line) for line in order)
    assert complaints(again.partition("Requesting system reboot")[0]) == []
    assert guest.child.pid == process
    guest.log_in()
    assert guest.power_off()[0] == 0
