"""`./scons compile-host`: this machine compiles for others, with the compiler of a board.

distccd runs in a sandbox that shows the tools of the board's builds and the network, but no file of
the user. It starts only compilers with the name by which builds with the same tools ask for them.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.boards.launching import DISTCC, PORT, PORTS
from quard.execute.distcc import compiler_name
from quard.execute.launcher import program
from quard.process import bubblewrap
from quard.process.sandbox import missing, system_mounts
from quard.process.system import MACHINE
from quard.project.host import Host
from quard.project.launching import find

_COMPILERS = "/quard/compilers"
_LIST = "list"
_SERVED = """\
#!/bin/sh
for word; do
    case $word in
        -wrapper* | -specs* | --specs* | -B* | --prefix* | -fplugin* | -iplugindir* | @*)
            echo "$word is refused: it can start other programs" >&2
            exit 1 ;;
    esac
done
PATH=/usr/bin:/bin exec {compiler} "$@"
"""


def command(host: Host, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that compiles for others; it reads pipes that this process keeps open.

    given  -- ALLOW: the networks that may ask; LISTEN: an address, a port, or both
    Raises QuardError.
    """
    networks = _networks(given.get("ALLOW", ""))
    address, port = _listen(given.get("LISTEN", ""))
    host.tooling.choose(fetch=True)
    if not host.seals:
        raise missing("distccd would run without a sandbox, and see all files of its user")
    words, mounts = _daemon(host)
    words += ("--daemon", "--no-detach", "--log-stderr", "--log-level", "warning")
    # The list of commands replaces its folder of allowed names, which pinned tools lack.
    words += ("--enable-tcp-insecure",)
    words += ("--jobs", str(host.site.jobs), "--port", str(port))
    words += ("--listen", address) if address else ()
    for network in networks:
        words += ("--allow", network)
    env = {"PATH": _COMPILERS, "LC_ALL": "C", "DISTCC_CMDLIST": f"{_COMPILERS}/{_LIST}"}
    setting = [word for name, text in env.items() for word in ("--setenv", name, text)]
    start = (*(host.starts_sandbox or bubblewrap.own()), "--unshare-all", "--share-net")
    return (*start, *mounts, "--clearenv", *setting, "--", *words)


def _daemon(host: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that start distccd, and the mounts of its sandbox."""
    tooling, toolchain = host.tooling, host.tooling.toolchain
    system, distcc = find(DISTCC, tooling, host.site)
    words, shown = program(system, distcc.with_name("distccd"))
    tools = tooling.pinned.system() if tooling.pinned else MACHINE
    mounts = [*system_mounts(tools), "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    if toolchain.folder:
        mounts += ["--ro-bind", str(toolchain.folder), str(toolchain.folder)]
    for each in shown:
        mounts += ["--ro-bind", str(each.place), each.inside]
    mounts += ["--uid", "1000", "--gid", "1000", *_compiler(host)]
    return words, (*mounts, "--remount-ro", "/", "--chdir", "/tmp", "--die-with-parent")


def _compiler(host: Host) -> tuple[str, ...]:
    """Return the arguments of bubblewrap that make the board's compiler, and the list with it."""
    toolchain, identity = host.tooling.toolchain, host.tooling.builds_with((), native=False)
    compiler = toolchain.shown(toolchain.commands["gcc"])
    path = f"{_COMPILERS}/{compiler_name(identity, compiler.name)}"
    program = _file(served(compiler), "0755", path)
    return (*program, *_file(f"{path}\n", "0644", f"{_COMPILERS}/{_LIST}"))


def served(compiler: Path) -> str:
    """Return the script by which distccd starts the compiler, and nothing else.

    The options come over the network, and some have gcc start any program.
    """
    return _SERVED.format(compiler=shlex.quote(str(compiler)))


def _file(text: str, mode: str, place: str) -> tuple[str, ...]:
    """Return the arguments that make a short file."""
    read, write = os.pipe()
    with open(write, "w", encoding="utf-8") as pipe:
        pipe.write(text)
    os.set_inheritable(read, True)
    return ("--perms", mode, "--file", str(read), place)


def _networks(text: str) -> tuple[str, ...]:
    """Return the networks in a list with commas, which must have one."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    try:
        networks = tuple(str(ipaddress.ip_network(part)) for part in found)
    except ValueError as error:
        raise _wrong(f"ALLOW={text}: {error}") from None
    if not networks:
        raise _wrong("nobody may ask this machine to compile")
    return networks


def _listen(text: str) -> tuple[str, int]:
    """Return the address, "" for all, and the port."""
    address, _, digits = text.rpartition(":") if ":" in text or text.isdecimal() else (text, "", "")
    port = int(digits) if digits.isdecimal() else 0 if digits else PORT
    try:
        bare = address.strip("[]")
        checked = str(ipaddress.ip_address(bare)) if bare else ""
    except ValueError as error:
        raise _wrong(f"LISTEN={text}: {error}") from None
    if not 0 < port < PORTS:
        raise _wrong(f"LISTEN={text}: the port is not a number up to 65535")
    return checked, port


def _wrong(what: str) -> QuardError:
    return QuardError(
        f"compile-host: {what}",
        reason="bad-compile-host",
        hint="write it like ./scons compile-host ALLOW=10.0.0.0/24 LISTEN=10.0.0.2:3632",
    )
