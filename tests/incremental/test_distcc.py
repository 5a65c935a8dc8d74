"""distcc with two hosts in network namespaces: the same results, whatever happens to the hosts."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import network_namespaces
import ports
import pytest
from network_namespaces import Host
from waiting import is_served, within

from incremental.project import Project, Ran

UNITS = [f"part{number}" for number in range(12)]
MAKEFILE = f"""\
firmware: {" ".join(f"{name}.o" for name in UNITS)} start.o
\t$(CC) -nostdlib -static -Wl,-e,part0 -o $@ $^
%.o: %.c own.h
\t$(CC) -O2 -ffreestanding -I. -Wp,-MMD,$*.d -include own.h -c $<
start.o: start.S
\t$(CC) -c $<
"""
SOURCE = """\
const char *{name}_file = __FILE__;
int {name}(int given) {{ return given * OWN + __LINE__; }}
"""
TIMES = 40
"""Copies of a function in each file, so that a compilation takes a while."""


def firmware(project: Project) -> None:
    """Add a package without hardening, whose files hosts may compile."""
    files = {"Makefile": MAKEFILE, "own.h": "#define OWN 3\n", "start.S": '.include "data.s"\n'}
    files["data.s"] = ".data\n.long 1\n"
    for name in UNITS:
        functions = (SOURCE.format(name=f"{name}_{number}") for number in range(TIMES))
        files[f"{name}.c"] = "".join((*functions, SOURCE.format(name=name)))
    project.program("firmware", "", more='freestanding="it runs without a system",')
    _, sha256 = project.archive("firmware", "1", files)
    recipe = project.recipe("firmware")
    recipe.write_text(re.sub(r'sha256="\w+"', f'sha256="{sha256}"', recipe.read_text()))
    project.edit("packages/firmware/recipe.py", '"usr/bin/firmware"', '"boot/firmware"')
    project.board(["firmware", "libc"])


def build(project: Project, hosts: str, *arguments: str) -> Ran:
    """Build everything from nothing with these compile hosts."""
    shutil.rmtree(project.folder / "out", ignore_errors=True)
    shutil.rmtree(project.cache / "store", ignore_errors=True)
    given = ("compiler.launcher=distcc", f"compiler.hosts={hosts}") if hosts else ()
    ran = project.run("firmware", "-j4", *given, *arguments)
    assert (ran.status, "firmware" in ran.built) == (0, True), ran.text
    return ran


def result(project: Project) -> str:
    return (project.folder / "out/tiny/units/firmware.json").read_text()


def log(project: Project) -> str:
    return (project.folder / "out/tiny/logs/firmware.log").read_text()


@pytest.fixture
def hosts() -> Iterator[tuple[Host, ...]]:
    with network_namespaces.hosts(2) as found:
        yield found


@contextmanager
def serving(project: Project, host: Host) -> Iterator[subprocess.Popen[bytes]]:
    """Have a host compile for this machine, with its own checkout and cache."""
    words = project.command("compile-host", f"ALLOW={host.near}", f"LISTEN={host.address}", "-j4")
    with (project.folder.parent / f"{host.name}.log").open("wb") as out:
        process = subprocess.Popen(
            (*host.enter, *words), cwd=project.folder, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            within(60, lambda: answers(host) or process.poll() is not None)
            yield process
        finally:
            process.terminate()
            process.wait(20)


def answers(host: Host) -> bool:
    return is_served(host.address, 3632)


def elsewhere(project: Project, name: str) -> Project:
    """Return the checkout of a compile host."""
    made = Project(project.folder.parent / name / "project")
    made.board(["libc"])
    return made


def test_two_hosts_compile_and_the_result_is_the_same(
    project: Project, hosts: tuple[Host, ...]
) -> None:
    firmware(project)
    build(project, "")
    plain = result(project)
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(serving(elsewhere(project, host.name), host))
        before = [host.received for host in hosts]
        both = ",".join(f"{host.address}/2" for host in hosts)
        build(project, both)
        assert result(project) == plain
        said = re.search(rf"distcc: hosts did (\d+) of {len(UNITS)} compilations\n", log(project))
        assert said and int(said[1]) >= len(hosts)
        sent = [host.received - old for host, old in zip(hosts, before, strict=True)]
        assert all(count > 5000 for count in sent), sent
        _lose_one(project, hosts[0], stack, both, plain)


def _lose_one(project: Project, host: Host, stack: ExitStack, both: str, plain: str) -> None:
    """A host that goes in the middle of a build costs only time."""
    before = host.received

    def cut() -> None:
        within(60, lambda: host.received > before + 3000)
        subprocess.run(("ip", "-n", host.name, "link", "set", "up0", "down"), check=True)
        stack.close()

    cutting = threading.Thread(target=cut)
    cutting.start()
    build(project, both)
    cutting.join()
    assert result(project) == plain


def test_a_host_with_another_compiler_is_not_used(
    project: Project, hosts: tuple[Host, ...]
) -> None:
    firmware(project)
    build(project, "")
    plain = result(project)
    other = elsewhere(project, "other")
    other.own_engine()
    other.edit("site_scons/quard/execute/distcc.py", 'f"quard-', 'f"another-')
    with serving(other, hosts[0]):
        build(project, hosts[0].address)
    assert result(project) == plain
    assert f"==> distcc: hosts did 0 of {len(UNITS)} compilations\n" in log(project)


def test_a_host_that_is_not_there_is_said_once(project: Project) -> None:
    firmware(project)
    build(project, "")
    plain = result(project)
    with ports.held() as port:
        ran = build(project, f"127.0.0.1:{port}")
        assert result(project) == plain
        said = f"the compile host 127.0.0.1:{port} does not answer; this machine compiles: "
        assert ran.text.count(said) == 1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "nobody may ask this machine to compile"),
        (("ALLOW=10.0.0.1/24",), "has host bits set"),
        (("ALLOW=everybody",), "does not appear to be"),
        (("ALLOW=::/0", "LISTEN=localhost"), "LISTEN=localhost"),
        (("ALLOW=::/0", "LISTEN=0"), "the port is not a number up to 65535"),
        (("ALLOW=::/0", "sandbox.mode=none"), "distccd would run without a sandbox"),
    ],
)
def test_a_host_that_cannot_serve_says_why(
    project: Project, words: tuple[str, ...], text: str
) -> None:
    ran = project.run("compile-host", *words)
    assert ran.status != 0
    assert text in ran.err
    assert ran.err.count("error: ") == 1 and "Traceback" not in ran.text


def test_no_network_is_used_offline(project: Project) -> None:
    firmware(project)
    build(project, "127.0.0.1:1")
    ran = build(project, "127.0.0.1:1", "sources.offline=1", f"sources.dir={project.sources}")
    assert "compile host" not in ran.text


def test_files_that_a_host_cannot_compile_alike_stay_here(project: Project) -> None:
    """Columns in debug information come from the source, which a host gets preprocessed."""
    project.program("thing", "int main(void) { return 0; }\n")
    project.board(["libc", "thing"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        ran = project.run("compiler.launcher=distcc", f"compiler.hosts=127.0.0.1:{port}")
        assert ran.status == 0, ran.text
        with pytest.raises(TimeoutError):
            server.accept()
