"""The text of run.sh, the command it makes of its settings, and what it rejects."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from runscript_board import BINARY, MACHINE, NOBODY, TEMPLATE, TEXT, TOP, Board, new_board

from quard.base.errors import QuardError
from quard.machine.machine import Machine
from quard.machine.runscript import ROOTS, SETTINGS, script

VARIANTS = [
    tuple(itertools.compress(ROOTS, chosen))
    for chosen in itertools.product((False, True), repeat=len(ROOTS))
]


def variant(
    *formats: str, data: str = "", machine: Machine = MACHINE, template: str = TEMPLATE
) -> str:
    """Return the script of a board with these root file systems."""
    return script(machine, template, board="b", data=data, formats=formats)


@pytest.fixture
def board() -> Iterator[Board]:
    with new_board() as board:
        yield board


def test_text_has_no_placeholder_left_and_no_absolute_path_of_the_build() -> None:
    assert not re.search(r"@[a-z_]+@", TEXT)
    assert str(TOP) not in TEXT
    assert "/home/" not in TEXT


def test_a_machine_without_firmware_starts_the_kernel_and_needs_no_further_image(
    board: Board,
) -> None:
    machine = dataclasses.replace(MACHINE, firmware="")
    (board.images / "run.sh").write_text(variant("ext4", machine=machine))
    (board.images / "fw_dynamic.bin").unlink()
    outcome = board.start("FORWARD=none")
    assert outcome.value("-kernel") == str(board.images / "Image")
    assert "-bios" not in outcome.argv


def test_a_machine_may_have_a_device_tree_and_files_in_memory(board: Board) -> None:
    loaded = (("boot.scr", 0x88100000), ("kernel", 0x84000000))
    machine = dataclasses.replace(MACHINE, devicetree="own.dtb", loaded=loaded)
    (board.images / "run.sh").write_text(variant("ext4", machine=machine))
    board.start("FORWARD=none").rejected("image-missing")
    for name in ("own.dtb", "boot.scr", "kernel"):
        (board.images / name).touch()
    outcome = board.start("FORWARD=none")
    assert outcome.value("-dtb") == str(board.images / "own.dtb")
    folder = str(board.images).replace(",", ",,")
    assert {
        f"loader,addr=0x88100000,force-raw=on,file={folder}/boot.scr",
        f"loader,addr=0x84000000,force-raw=on,file={folder}/kernel",
    } <= {*outcome.values("-device")}


def test_the_data_disk_may_be_another_device_than_that_of_the_root(board: Board) -> None:
    disk = dataclasses.replace(MACHINE.disk, device="blk,bus=a.0", data_device="blk,bus=a.1")
    machine = dataclasses.replace(MACHINE, disk=disk)
    (board.images / "run.sh").write_text(variant("ext4", data="data.ext4", machine=machine))
    found = board.start("FORWARD=none").values("-device")
    assert {"blk,bus=a.0,drive=root", "blk,bus=a.1,drive=data"} <= {*found}


def test_unknown_placeholder_is_refused_with_the_right_one() -> None:
    with pytest.raises(QuardError) as caught:
        variant(template="echo @kernal@\n")
    assert (caught.value.reason, caught.value.hint) == ("bad-template", "did you mean 'kernel'?")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("#@if ext4 or dat", "qemu/run has an unknown condition 'dat'"),
        ("#@if", "qemu/run has the line '#@if'"),
        ("#@end", "qemu/run has the line '#@end'"),
        ("#@if data", "qemu/run has a condition without #@end"),
    ],
)
def test_a_wrong_condition_is_refused(line: str, message: str) -> None:
    with pytest.raises(QuardError) as caught:
        variant(template=f"{line}\n")
    assert (caught.value.message, caught.value.reason) == (message, "bad-template")


def test_lines_are_kept_where_one_of_the_words_of_their_condition_holds() -> None:
    text = "1\n#@if ext4 or data\n2\n#@if squashfs\n3\n#@end\n4\n#@end\n5\n"
    assert variant(template=text) == "1\n5\n"
    assert variant("ext4", template=text) == "1\n2\n4\n5\n"
    assert variant("squashfs", data="data.ext4", template=text) == "1\n2\n3\n4\n5\n"


@pytest.mark.parametrize("data", ["", "data.ext4"])
@pytest.mark.parametrize("panic_words", [(), ("panic=-1",)])
def test_shellcheck_has_nothing_to_say_of_any_board_and_machine(
    tmp_path: Path, data: str, panic_words: tuple[str, ...]
) -> None:
    machine = dataclasses.replace(MACHINE, panic_words=panic_words)
    paths = []
    for formats in VARIANTS:
        paths.append(tmp_path / f"{'-'.join(formats)}.sh")
        paths[-1].write_text(variant(*formats, data=data, machine=machine), encoding="utf-8")
    done = subprocess.run(["shellcheck", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("formats", VARIANTS)
def test_a_script_has_only_the_code_of_its_boards_root_file_systems(
    formats: tuple[str, ...],
) -> None:
    text, roots = variant(*formats), [ROOTS[name] for name in formats]
    assert re.findall(r"^use_(\w+)\(\)", text, re.M) == roots
    assert ("rootfs.cpio.gz" in text) == ("cpio" in roots)
    assert ("flock" in text) == ("ext4" in roots)
    assert "data" not in re.sub(r"#.*|FORWARD=.*", "", text)


@pytest.mark.parametrize("formats", [names for names in VARIANTS if names])
def test_a_board_starts_from_each_of_its_root_file_systems_and_no_other(
    board: Board, formats: tuple[str, ...]
) -> None:
    (board.images / "run.sh").write_text(variant(*formats), encoding="utf-8")
    roots = [ROOTS[name] for name in formats]
    for root in ROOTS.values():
        outcome = board.start("FORWARD=none", f"ROOT={root}")
        if root in roots:
            assert outcome.status == 0, outcome.errors
        else:
            told = outcome.rejected("bad-setting")
            assert f"ROOT={root}\n" in told and f"give one of: {' '.join(roots)}\n" in told


def test_without_root_a_board_starts_from_ext4_or_else_from_its_first_root_file_system(
    board: Board,
) -> None:
    for formats, file in (
        (("squashfs", "ext4"), "rootfs.ext4"),
        (("squashfs", "cpio.gz"), "rootfs.squashfs"),
        (("cpio.gz",), "rootfs.cpio.gz"),
    ):
        (board.images / "run.sh").write_text(variant(*formats), encoding="utf-8")
        assert f"/{file}" in " ".join(board.start("FORWARD=none").argv)


def test_a_board_without_a_root_file_system_says_so(board: Board) -> None:
    (board.images / "run.sh").write_text(variant(), encoding="utf-8")
    assert "image.formats" in board.start("FORWARD=none").rejected("image-missing")


def test_default_command_is_the_seeds_network_and_the_image_beside_the_script(
    board: Board,
) -> None:
    outcome = board.start("FORWARD=tcp:0:22,tcp:0:80,udp:0:53")
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", outcome.errors)]
    assert len(set(ports[:2])) == 2
    assert outcome.value("-netdev") == (
        "user,id=net0,net=192.168.31.0/24,dhcpstart=192.168.31.100"
        f",hostfwd=tcp:127.0.0.1:{ports[0]}-:22,hostfwd=tcp:127.0.0.1:{ports[1]}-:80"
        f",hostfwd=udp:127.0.0.1:{ports[2]}-:53"
    )
    disk = str(board.disk).replace(",", ",,")
    share = str(board.folder / "share").replace(",", ",,")
    assert outcome.value("-machine") == "virt"
    assert outcome.value("-bios") == str(board.images / "fw_dynamic.bin")
    assert outcome.value("-kernel") == str(board.images / "Image")
    assert outcome.value("-append") == (
        "root=/dev/vda ro rootfstype=ext4 console=ttyS0 no4lvl panic=-1 panic_shutdown"
    )
    data = str(board.data).replace(",", ",,")
    assert outcome.values("-drive") == [
        f"if=none,id=root,format=raw,file={disk}",
        f"if=none,id=data,format=raw,file={data}",
    ]
    assert outcome.value("-fsdev") == (
        f"local,id=share,security_model=none,multidevs=remap,path={share}"
    )
    assert outcome.values("-device") == [
        "virtio-rng-device",
        "virtio-keyboard-device",
        "virtio-blk-device,drive=root",
        "virtio-blk-device,drive=data",
        "virtio-net-device,netdev=net0",
        "virtio-9p-device,fsdev=share,mount_tag=hostshare",
    ]
    assert (board.folder / "share").is_dir()


def test_default_ports_are_those_of_the_machine(board: Board) -> None:
    """A run without FORWARD either uses them, or says that one is taken on this machine."""
    outcome = board.start()
    if outcome.status == 0:
        assert ",hostfwd=tcp:127.0.0.1:3522-:22,hostfwd=tcp:127.0.0.1:3580-:80" in outcome.value(
            "-netdev"
        )
    else:
        assert re.search(r"host port 35(22|80) is taken", outcome.rejected("port-taken"))


@pytest.mark.parametrize("shell", ["dash", "bash", "bash --posix", "busybox sh"])
def test_shells_agree(board: Board, shell: str) -> None:
    assert shutil.which(shell.split(maxsplit=1)[0]), f"{shell} is on the list of host packages"
    arguments = ("FORWARD=tcp:0:22", "QEMU_ARGS=-d 'a b' -D \"c d\"", "APPEND=debug", "DEBUG=0")
    expected = board.start(*arguments)
    outcome = board.start(*arguments, shell=shell)
    assert outcome.status == 0, outcome.errors
    keep = [word for word in outcome.argv if not word.startswith("user,")]
    assert keep == [word for word in expected.argv if not word.startswith("user,")]
    assert outcome.argv[-4:] == ["-d", "a b", "-D", "c d"]


def test_script_works_from_any_folder_and_through_a_link(board: Board) -> None:
    link = board.folder / "start"
    link.symlink_to("images/run.sh")
    done = subprocess.run(
        [link, "FORWARD=none"],
        cwd="/",
        env={
            "PATH": f"{board.tools}:{os.environ['PATH']}",
            "QEMU_ARGUMENTS": str(board.folder / "arguments"),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(board.images / "Image") in (board.folder / "arguments").read_text(encoding="utf-8")


def test_qemus_status_is_the_scripts(board: Board) -> None:
    (board.tools / BINARY).write_text("#!/bin/sh\nexit 77\n", encoding="utf-8")
    assert board.start("FORWARD=none").status == 77


def test_help_names_every_setting(board: Board) -> None:
    outcome = board.start("--help")
    assert outcome.status == 0
    assert sorted(set(re.findall(r"^  ([A-Z_]+)=", outcome.output, re.M))) == list(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_argument(board: Board, name: str) -> None:
    assert f"{name}=*) {name}=$value ;;" in TEXT
    outcome = board.start("FORWARD=none", f"{name}=")
    assert "bad-setting" not in outcome.errors


def test_a_machine_without_network_has_no_device_and_takes_no_port(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = board.start("NETWORK=none", f"FORWARD=tcp:{port}:22")
    assert outcome.status == 0, outcome.errors
    assert outcome.value("-nic") == "none"
    assert "-netdev" not in outcome.argv
    assert not [device for device in outcome.values("-device") if "net" in device]
    assert "forward:" not in outcome.errors


def test_a_kind_of_network_that_there_is_not_is_refused(board: Board) -> None:
    assert "NETWORK=tap" in board.start("NETWORK=tap").rejected("bad-setting")


def test_arguments_win_over_the_environment(board: Board) -> None:
    environment = {"FORWARD": "none", "APPEND": "one"}
    assert board.start(environment=environment).value("-append").endswith(" one")
    assert board.start("APPEND=two", environment=environment).value("-append").endswith(" two")


@pytest.mark.parametrize(
    "argument",
    [
        "FORWRD=none",
        "ext4",
        "ROOT=ext5",
        "DEBUG=x",
        "DEBUG=-1",
        "DEBUG=65536",
        "FRESH=yes",
        "SNAPSHOT=2",
    ],
)
def test_unknown_setting_or_value_is_rejected(board: Board, argument: str) -> None:
    told = board.start("FORWARD=none", argument).rejected("bad-setting")
    assert argument.split("=", maxsplit=1)[0] in told


def test_open_quote_in_qemu_args_is_rejected(board: Board) -> None:
    board.start("FORWARD=none", "QEMU_ARGS=-d 'a").rejected("bad-setting")


def test_qemu_args_run_nothing(board: Board) -> None:
    words = "-name $(touch${IFS}x);`id`&* '' -x"
    assert board.start("FORWARD=none", f"QEMU_ARGS={words}").argv[-4:] == [
        "-name",
        "$(touch${IFS}x);`id`&*",
        "",
        "-x",
    ]


def test_debug_waits_for_gdb_on_this_machine_only(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ("FORWARD=none", f"DEBUG={port}")
        assert "DEBUG=PORT" in board.start(*arguments).rejected("port-taken")
    outcome = board.start(*arguments)
    assert outcome.value("-gdb") == f"tcp:127.0.0.1:{port}"
    assert "-S" in outcome.argv


def test_squashfs_is_a_read_only_disk_with_a_layer_in_memory_over_it(board: Board) -> None:
    outcome = board.start("FORWARD=none", "ROOT=squashfs", "APPEND=init=/sbin/init")
    root, _ = outcome.values("-drive")
    assert root.endswith("rootfs.squashfs,readonly=on")
    words = outcome.value("-append").split()
    assert words[:4] == ["root=/dev/vda", "ro", "rootfstype=squashfs", "init=/sbin/overlay-init"]
    assert words[-1] == "init=/sbin/init"
    assert not (board.folder / "run").exists()


def test_cpio_needs_no_disk_but_the_one_of_the_data(board: Board) -> None:
    outcome = board.start("FORWARD=none", "ROOT=cpio")
    assert outcome.value("-initrd") == str(board.images / "rootfs.cpio.gz")
    assert outcome.value("-append") == "console=ttyS0 no4lvl panic=-1 panic_shutdown"
    [data] = outcome.values("-drive")
    assert data.startswith("if=none,id=data,")


def test_missing_qemu_names_the_package(board: Board) -> None:
    (board.tools / BINARY).unlink()
    for tool in ("awk", "cat", "dirname", "readlink", "sed"):
        (board.tools / tool).symlink_to(shutil.which(tool) or pytest.fail(tool))
    outcome = board.start(environment={"PATH": str(board.tools)}, shell=shutil.which("sh") or "sh")
    said = outcome.rejected("qemu-missing")
    assert "the Debian package is qemu-system-riscv or qemu-system-misc" in said


@pytest.mark.parametrize(
    ("file", "root"),
    [("Image", "ext4"), ("fw_dynamic.bin", "cpio"), ("rootfs.squashfs", "squashfs")],
)
def test_missing_image_is_named(board: Board, file: str, root: str) -> None:
    (board.images / file).unlink()
    assert f"images/{file}\n" in board.start(f"ROOT={root}").rejected("image-missing")


@pytest.mark.parametrize("root", ["ext4", "squashfs", "cpio"])
def test_images_that_are_not_of_one_build_are_not_started(board: Board, root: str) -> None:
    (board.images / "unfinished").write_text("rootfs.tar\nrootfs.ext4\n")
    told = board.start(f"ROOT={root}", "FORWARD=none").rejected("images-unfinished")
    assert "rootfs.tar rootfs.ext4" in told
    (board.images / "unfinished").unlink()
    assert board.start(f"ROOT={root}", "FORWARD=none").status == 0


def test_no_forward_and_no_share_are_possible(board: Board) -> None:
    outcome = board.start("FORWARD=none", "SHARE=none")
    assert "hostfwd" not in outcome.value("-netdev")
    assert outcome.values("-fsdev") == []
    assert not (board.folder / "share").exists()


def test_named_share_must_exist(board: Board) -> None:
    block = board.start("FORWARD=none", f"SHARE={board.folder}/nothing").rejected("share-missing")
    assert "SHARE=none" in block


def test_named_share_must_be_writable(board: Board) -> None:
    share = board.folder / "mine"
    share.mkdir(mode=0o555)
    board.start("FORWARD=none", f"SHARE={share}", user=NOBODY).rejected("share-unwritable")


def test_images_that_cannot_be_written_beside_still_start_with_snapshot(board: Board) -> None:
    board.folder.chmod(0o555)
    try:
        block = board.start("FORWARD=none", user=NOBODY).rejected("state-unwritable")
        assert "SNAPSHOT=1" in block
        record = {"QEMU_ARGUMENTS": "/dev/null"}
        outcome = board.start("FORWARD=none", "SNAPSHOT=1", user=NOBODY, environment=record)
        assert outcome.status == 0
        assert "share: off" in outcome.errors
    finally:
        board.folder.chmod(0o755)


@pytest.mark.parametrize(
    "settings",
    [
        ("ROOT=ext4",),
        ("ROOT=ext4", "SNAPSHOT=1"),
        ("ROOT=squashfs",),
        ("ROOT=cpio", "SHARE=none"),
    ],
)
def test_qemu_accepts_every_option_and_leaves_on_its_keys(
    board: Board, settings: tuple[str, ...]
) -> None:
    (board.tools / BINARY).unlink()
    done = subprocess.run(
        [board.images / "run.sh", "FORWARD=tcp:0:22,udp:0:53", "QEMU_ARGS=-S", *settings],
        input=b"\x01x",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"QEMU: Terminated\n\r"), done.stderr
    assert b"qemu-system" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("PANIC=exit", "console=ttyS0 no4lvl panic=-1 panic_shutdown"),
        ("PANIC=keep", "console=ttyS0 no4lvl panic=0"),
        ("PANIC=reboot", "console=ttyS0 no4lvl"),
    ],
)
def test_what_a_panic_does_is_said_to_the_kernel_before_append(
    board: Board, setting: str, words: str
) -> None:
    outcome = board.start("FORWARD=none", "ROOT=cpio", setting, "APPEND=panic=5")
    assert outcome.value("-append") == f"{words} panic=5"


def test_a_panic_ends_nothing_on_a_machine_that_cannot_say_so() -> None:
    machine = dataclasses.replace(MACHINE, panic_words=())
    text = variant("ext4", machine=machine)
    assert "reboot" in text and " exit) " not in text and "panic=-1" not in text


def test_an_unknown_answer_to_a_panic_is_refused(board: Board) -> None:
    assert "PANIC=halt" in board.start("PANIC=halt").rejected("bad-setting")


def initramfs(board: Board, unpacked_mib: int) -> None:
    """An archive of 1 MiB whose last bytes say, as gzip's do, how large its content is."""
    size = (unpacked_mib << 20).to_bytes(4, "little")
    (board.images / "rootfs.cpio.gz").write_bytes(bytes((1 << 20) - 4) + size)


@pytest.mark.parametrize(
    ("unpacked_mib", "arguments"),
    [
        (122, ""),
        (140, "-m 291"),
        (140, "-m 291M"),
        (140, "-m 1G"),
        (140, "-m size=291M,slots=2"),
        (140, "-m 64 -m 291"),
        (140, "-m 299008K"),
        (140, "-m what"),
    ],
)
def test_initramfs_that_fits_the_memory_is_started(
    board: Board, unpacked_mib: int, arguments: str
) -> None:
    initramfs(board, unpacked_mib)
    outcome = board.start("FORWARD=none", "ROOT=cpio", f"QEMU_ARGS={arguments}")
    assert outcome.status == 0, outcome.errors


@pytest.mark.parametrize(
    ("unpacked_mib", "arguments", "memory", "needed"),
    [
        (123, "", 256, 257),
        (140, "-m 290", 290, 291),
        (140, "-m 0290M", 290, 291),
        (1000, "-m 1G", 1024, 2011),
        (140, "-m 1G -m size=64M", 64, 291),
    ],
)
def test_initramfs_that_does_not_fit_is_refused_with_both_sizes(
    board: Board, unpacked_mib: int, arguments: str, memory: int, needed: int
) -> None:
    initramfs(board, unpacked_mib)
    outcome = board.start("FORWARD=none", "ROOT=cpio", f"QEMU_ARGS={arguments}")
    block = outcome.rejected("initramfs-too-big")
    assert f"takes {unpacked_mib} MiB unpacked" in block
    assert f"the machine has {memory} MiB and needs {needed} MiB at least" in block
    suggested = re.search(r'QEMU_ARGS="-m (\d+)"', block)
    assert suggested and int(suggested[1]) > needed
    assert not board.home.exists()


def test_other_roots_do_not_care_for_the_size_of_the_initramfs(board: Board) -> None:
    initramfs(board, 1000)
    assert board.start("FORWARD=none", "ROOT=squashfs").status == 0


def test_mode_of_the_shares_cache_goes_to_the_guest_by_the_kernel(board: Board) -> None:
    words = board.start("FORWARD=none", "SHARE_CACHE=mmap").value("-append").split()
    assert "share_cache=mmap" in words
    for setting in ("SHARE_CACHE=none", "SHARE_CACHE="):
        assert "share_cache" not in board.start("FORWARD=none", setting).value("-append")
    assert "SHARE_CACHE=loose" in board.start("SHARE_CACHE=loose").rejected("bad-setting")
