"""run.sh starts a guest with KVM where the machine can, and says what it does."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from runscript_board import BINARY, MACHINE, NOBODY, TEMPLATE, Board, Outcome, new_board

from quard.machine.machine import Kvm
from quard.machine.runscript import script

DEVICE = "/dev/kvm"
KVM = Kvm(processors=("x86_64", "other"), cpu="host", options=("-machine", "gic-version=host"))
CAN = dataclasses.replace(MACHINE, cpu="max", kvm=KVM)


@dataclass
class Host:
    """A board, and a machine whose processor and device are the test's."""

    board: Board
    device: Path

    def processor(self, name: str) -> None:
        program = self.board.tools / "uname"
        program.write_text(f"#!/bin/sh\necho {name}\n")
        program.chmod(0o755)

    def start(self, *arguments: str, user: int | None = None) -> Outcome:
        return self.board.start("FORWARD=none", *arguments, user=user)


def write(board: Board, device: Path, accel: str = "auto") -> None:
    """Write run.sh for a machine that KVM can run, and another device."""
    assert DEVICE in TEMPLATE
    machine = dataclasses.replace(CAN, accel=accel)
    text = script(machine, TEMPLATE, board="b", data="", formats=("squashfs",))
    (board.images / "run.sh").write_text(text.replace(DEVICE, str(device)))


@pytest.fixture
def host() -> Iterator[Host]:
    with new_board() as board, tempfile.TemporaryDirectory(prefix="kvm") as name:
        Path(name).chmod(0o755)
        found = Host(board, Path(name) / "kvm")
        found.device.touch(mode=0o666)
        found.device.chmod(0o666)
        write(board, found.device)
        found.processor("x86_64")
        yield found


def test_where_it_can_be_used_the_guest_has_the_processors_of_the_host(host: Host) -> None:
    outcome = host.start()
    assert outcome.values("-accel") == ["kvm"]
    assert outcome.value("-cpu") == "host"
    assert outcome.values("-machine") == [CAN.machine, "gic-version=host"]
    assert "processors: this machine's own (KVM)\n" in outcome.errors


@pytest.mark.parametrize("accel", ["auto", "kvm"])
def test_with_another_processor_it_is_emulated_or_refused(host: Host, accel: str) -> None:
    host.processor("aarch64")
    check_no_kvm(host.start(f"ACCEL={accel}"), accel, "this machine has other processors")


@pytest.mark.parametrize("accel", ["auto", "kvm"])
def test_without_the_device_it_is_emulated_or_refused(host: Host, accel: str) -> None:
    host.device.unlink()
    check_no_kvm(host.start(f"ACCEL={accel}"), accel, "this machine has no ")


@pytest.mark.parametrize("accel", ["auto", "kvm"])
def test_with_a_device_that_the_user_may_not_open_it_is_emulated_or_refused(
    host: Host, accel: str
) -> None:
    host.device.chmod(0o000)
    host.board.folder.chmod(0o777)
    outcome = host.start(f"ACCEL={accel}", "SHARE=none", user=NOBODY)
    check_no_kvm(outcome, accel, "cannot be opened")


@pytest.mark.parametrize("end", ["exit 1", "kill -ABRT $$"])
@pytest.mark.parametrize("accel", ["auto", "kvm"])
def test_where_qemu_cannot_use_it_it_is_emulated_or_refused(
    host: Host, accel: str, end: str
) -> None:
    """As in a virtual machine whose own KVM is incomplete: QEMU refuses it, or is aborted by it."""
    qemu = host.board.tools / BINARY
    record = qemu.read_text().removeprefix("#!/bin/sh\n")
    qemu.write_text(f'#!/bin/sh\ncase "$*" in *"-accel kvm"*) {end} ;; esac\n{record}')
    outcome = host.start(f"ACCEL={accel}")
    check_no_kvm(outcome, accel, "QEMU cannot use ")
    assert "Aborted" not in outcome.errors


def check_no_kvm(outcome: Outcome, accel: str, obstacle: str) -> None:
    if accel == "kvm":
        assert obstacle in outcome.rejected("kvm-missing")
        return
    assert (outcome.values("-accel"), outcome.value("-cpu")) == (["tcg"], "max")
    assert outcome.values("-machine") == [CAN.machine]
    [line] = [line for line in outcome.errors.splitlines() if "processors:" in line]
    assert line.startswith("processors: emulated (")
    assert obstacle in line


def test_emulation_can_be_asked_for(host: Host) -> None:
    outcome = host.start("ACCEL=tcg")
    assert (outcome.values("-accel"), outcome.value("-cpu")) == (["tcg"], "max")
    assert "processors: emulated (ACCEL=tcg)\n" in outcome.errors


def test_the_machines_file_has_the_default(host: Host) -> None:
    write(host.board, host.device, accel="tcg")
    assert host.start().values("-accel") == ["tcg"]
    assert host.start("ACCEL=auto").values("-accel") == ["kvm"]


def test_a_machine_that_names_no_processors_is_emulated_without_a_word(host: Host) -> None:
    text = script(MACHINE, TEMPLATE, board="b", data="", formats=("squashfs",))
    (host.board.images / "run.sh").write_text(text)
    outcome = host.start()
    assert outcome.values("-accel") == ["tcg"]
    assert "processors:" not in outcome.errors
    assert "names no processors" in host.start("ACCEL=kvm").rejected("kvm-missing")


def test_another_word_is_refused(host: Host) -> None:
    assert "auto kvm tcg" in host.start("ACCEL=xen").rejected("bad-setting")
