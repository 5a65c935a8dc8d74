from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.machine.machine import Forward, load

TOP = Path(__file__).resolve().parents[3]
VIRT = (TOP / "qemu" / "virt.toml").read_text(encoding="utf-8")


def rejected(folder: Path, text: str) -> QuardError:
    path = folder / "board.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QuardError) as caught:
        load(path)
    assert caught.value.reason == "bad-machine"
    assert f"{folder.name}/board.toml" in caught.value.message
    return caught.value


def changed(old: str, new: str) -> str:
    assert old in VIRT
    return VIRT.replace(old, new)


def test_virt_is_the_machine_of_the_guest_document() -> None:
    machine = load(TOP / "qemu" / "virt.toml")
    assert (machine.name, machine.binary, machine.machine) == (
        "virt",
        "qemu-system-riscv64",
        "virt",
    )
    assert machine.network.device == "virtio-net-device"
    assert machine.network.subnet == "192.168.31.0/24"
    assert machine.network.dhcp_start == "192.168.31.100"
    assert machine.network.forwards == (Forward("tcp", 3522, 22), Forward("tcp", 3580, 80))
    assert machine.share.tag == "hostshare"


def test_every_machine_of_the_project_loads() -> None:
    paths = sorted((TOP / "qemu").glob("*.toml"))
    assert [load(path).name for path in paths] == [path.stem for path in paths]


@pytest.mark.parametrize("wrong", ["[]", '["qemu-system-riscv", "a b"]', '"qemu-system-misc"'])
def test_packages_of_qemu_are_a_list_of_names(tmp_path: Path, wrong: str) -> None:
    given = 'host_packages = ["qemu-system-riscv", "qemu-system-misc"]'
    error = rejected(tmp_path, changed(given, f"host_packages = {wrong}"))
    assert "host_packages must" in error.message


def test_device_tree_and_files_in_memory_are_optional(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    more = (
        'devicetree = "own.dtb"\n[loaded]\n"boot.scr" = 0x88100000\nImage = 0x84000000\n[network]'
    )
    path.write_text(changed("[network]", more), encoding="utf-8")
    machine = load(path)
    assert machine.devicetree == "own.dtb"
    assert machine.loaded == (("Image", 0x84000000), ("boot.scr", 0x88100000))
    for wrong in ("Image = -1", '"a,b" = 1', '"$x" = 1'):
        text = changed("[network]", f"[loaded]\n{wrong}\n[network]")
        assert "must be the name of a file in the images folder" in rejected(tmp_path, text).message
    text = changed("[network]", '[loaded]\nImage = "0x1"\n[network]')
    assert "loaded.Image must be a whole number" in rejected(tmp_path, text).message


def test_processor_is_optional_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(changed("cpus = 2", 'cpus = 2\ncpu = "rv64,zbb=on"'), encoding="utf-8")
    assert load(path).cpu == "rv64,zbb=on"


def test_device_may_have_properties(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    device = "virtio-net-device,mac=52:54:00:00:00:01"
    path.write_text(changed('"virtio-net-device"', f'"{device}"'), encoding="utf-8")
    assert load(path).network.device == device


def test_missing_file_suggests_the_name_that_is_near(tmp_path: Path) -> None:
    (tmp_path / "virt.toml").write_text(VIRT, encoding="utf-8")
    with pytest.raises(QuardError) as caught:
        load(tmp_path / "vrit.toml")
    assert caught.value.reason == "bad-machine"
    assert "'virt'" in caught.value.hint


@pytest.mark.parametrize("content", [b"cpus = = 2\n", b"summary = '\xff'\n"])
def test_file_that_is_not_toml_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "board.toml"
    path.write_bytes(content)
    with pytest.raises(QuardError) as caught:
        load(path)
    assert caught.value.reason == "bad-machine"


def test_unknown_key_is_named_with_a_suggestion(tmp_path: Path) -> None:
    error = rejected(tmp_path, changed("cpus = 2", "cpus = 2\nconsoles = 1"))
    assert "key consoles" in error.message
    assert "'console'" in error.hint


def test_unknown_key_of_a_table_is_named_with_its_table(tmp_path: Path) -> None:
    error = rejected(tmp_path, changed('tag = "hostshare"', 'tag = "hostshare"\nmsize = 1'))
    assert "key share.msize" in error.message


@pytest.mark.parametrize("key", ["memory_mib", "forwards", "security_model"])
def test_missing_key_is_named(tmp_path: Path, key: str) -> None:
    assert f"{key} is missing" in rejected(tmp_path, changed(f"{key} =", "other =")).message


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("cpus = 2", "cpus = 0", "cpus"),
        ("cpus = 2", "cpus = true", "cpus"),
        ("cpus = 2", 'cpus = "2"', "cpus"),
        ("memory_mib = 256", "memory_mib = 1.5", "memory_mib"),
        ('"qemu-system-riscv64"', '"qemu system"', "binary"),
        ('"qemu-system-riscv64"', "7", "binary"),
        ('kernel = "Image"', 'kernel = "../Image"', "kernel"),
        ('command_line = ["no4lvl"]', 'command_line = "quiet"', "command_line"),
        ('command_line = ["no4lvl"]', 'command_line = ["a\\nb"]', "command_line"),
        ('command_line = ["no4lvl"]', "command_line = [1]", "command_line"),
        ('"192.168.31.0/24"', '"192.168.31.5/24"', "network.subnet"),
        ('"192.168.31.100"', '"192.168.31.300"', "network.subnet"),
        ('"192.168.31.100"', '"192.168.30.100"', "network.dhcp_start"),
        ('"192.168.31.100"', '"192.168.31.2"', "network.dhcp_start"),
        ('"192.168.31.100"', '"192.168.31.255"', "network.dhcp_start"),
        ('["tcp", 3522, 22]', '["tpc", 3522, 22]', "network.forwards"),
        ('["tcp", 3522, 22]', '["tcp", 3522, 0]', "network.forwards"),
        ('["tcp", 3522, 22]', '["tcp", 65536, 22]', "network.forwards"),
        ('["tcp", 3522, 22]', '["tcp", true, 22]', "network.forwards"),
        ('["tcp", 3522, 22]', '["tcp", 3522]', "network.forwards"),
        ('["tcp", 3522, 22]', '["tcp", 3580, 22]', "network.forwards"),
        ('"/dev/vda"', '"vda"', "disk.node"),
        ('"virtio-blk-device"', '"virtio-blk-device,,"', "disk.device"),
        ("[random]\n", "[[random]]\n", "random"),
    ],
)
def test_bad_value_is_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert f": {key} " in rejected(tmp_path, changed(old, new)).message


def test_misspelt_security_model_is_corrected(tmp_path: Path) -> None:
    error = rejected(tmp_path, changed('security_model = "none"', 'security_model = "mapped-xatr"'))
    assert "'mapped-xattr'" in error.hint
