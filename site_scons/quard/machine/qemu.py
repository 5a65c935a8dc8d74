"""QEMU arguments that depend only on the machine, not on settings."""

from __future__ import annotations

from quard.machine.machine import Forward, Machine


def fixed_arguments(machine: Machine) -> tuple[str, ...]:
    """Return board, number of processors, memory, console and random numbers.

    QEMU's own configuration files are not read, and no default device is made. `mon:stdio` puts
    the serial port and QEMU's monitor on the terminal: Ctrl-C goes to the guest, Ctrl-A X quits
    QEMU (qemu(1), "-serial" and "Keys in the character backend multiplexer").
    """
    return (
        *("-no-user-config", "-nodefaults"),
        *("-machine", machine.machine),
        *("-smp", str(machine.cpus)),
        *("-m", f"{machine.memory_mib}M"),
        *("-display", "none"),
        *("-serial", "mon:stdio"),
        *("-device", machine.random),
        *machine.options,
    )


def emulated(machine: Machine) -> tuple[str, ...]:
    """Return the arguments for processors that QEMU emulates."""
    return ("-accel", "tcg", *(("-cpu", machine.cpu) if machine.cpu else ()))


def accelerated(machine: Machine) -> tuple[str, ...]:
    """Return the arguments for processors of the host."""
    return ("-accel", "kvm", "-cpu", machine.kvm.cpu, *machine.kvm.options)


def load_devices(machine: Machine) -> str:
    """Return the arguments, for the shell, that put files into memory before anything runs.

    The shell has the images folder, escaped for QEMU's options, in $folder. Names in it have no
    comma.
    """
    return " ".join(
        f'-device "loader,addr={address:#x},force-raw=on,file=$folder/{name}"'
        for name, address in machine.loaded
    )


def network(machine: Machine) -> str:
    """Return the argument of `-netdev`, to which the forwards are appended."""
    net = machine.network
    return f"user,id=net0,net={net.subnet},dhcpstart={net.dhcp_start}"


def share(machine: Machine) -> str:
    """Return the argument of `-fsdev`, to which the folder's path is appended.

    `multidevs=remap`: a folder may hold mount points, whose inode numbers could collide.
    """
    model = machine.share.security_model
    return f"local,id=share,security_model={model},multidevs=remap,path="


def kernel_words(machine: Machine) -> str:
    """Return the kernel command line without the root file system."""
    return " ".join((f"console={machine.console}", *machine.command_line))


def forward_setting(forwards: tuple[Forward, ...]) -> str:
    """Return the forwards in the form of the FORWARD setting; "none" if there are none."""
    return ",".join(f"{item.protocol}:{item.host}:{item.guest}" for item in forwards) or "none"
