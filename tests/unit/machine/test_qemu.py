from __future__ import annotations

import dataclasses
from pathlib import Path

from quard.machine import qemu
from quard.machine.machine import load

VIRT = load(Path(__file__).resolve().parents[3] / "qemu" / "virt.toml")


def test_nothing_comes_from_qemus_own_configuration() -> None:
    arguments = qemu.fixed_arguments(VIRT)
    assert arguments[:2] == ("-no-user-config", "-nodefaults")


def test_serial_port_and_monitor_share_the_terminal() -> None:
    arguments = qemu.fixed_arguments(VIRT)
    assert arguments[arguments.index("-serial") + 1] == "mon:stdio"


def test_processor_is_named_only_when_the_machine_names_one() -> None:
    assert "-cpu" not in qemu.emulated(VIRT)
    arguments = qemu.emulated(dataclasses.replace(VIRT, cpu="rv64"))
    assert arguments[arguments.index("-cpu") + 1] == "rv64"


def test_kernel_words_begin_with_the_console() -> None:
    machine = dataclasses.replace(VIRT, command_line=("quiet", "panic=1"))
    assert qemu.kernel_words(machine) == "console=ttyS0 quiet panic=1"


def test_forwards_are_spelt_as_the_setting() -> None:
    assert qemu.forward_setting(VIRT.network.forwards) == "tcp:3522:22,tcp:3580:80"


def test_no_forward_has_a_word_of_its_own() -> None:
    assert qemu.forward_setting(()) == "none"
