"""Packages that no shipped board has, each at its job in a guest.

Continuous integration has no time to build them all, so the name of this file does not begin with
test_: pytest collects it when it is named.

    .venv/bin/python -P -m pytest tests/boot/every_package.py

With --update-golden it writes the lists of their files. BOARD_TESTS=quard-star-aarch64 has them on
that board instead of the small one; the compiler of its target must be installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import installed
from boot import small
from boot.conftest import SMALL_BOARD, TOP
from boot.guest import FORWARDS, Guest
from boot.test_hardening import lacking
from quard.boards import board
from quard.boards.trees import Trees
from quard.store import blob

pytestmark = pytest.mark.boot
BOARD = "every"
OTHER = os.environ.get("BOARD_TESTS", SMALL_BOARD)
"""The board that has them besides its own packages."""
TRIPLE = board.load(Trees(TOP), OTHER).target.triple
LISTED = (
    "curl dbus dnsmasq gdb glib htop i2c-tools iproute2 json-c kmod less lua markupsafe nano"
    " openssl six sqlite strace tcpdump util-linux zstd"
).split()
"""On the board."""
NEEDED = "ca-certificates libffi libpcap pcre2".split()
"""Needed by one of these."""
BUILT = "flit-core setuptools wheel-tools".split()
"""Only built: nothing there needs them."""
ON_FILE = sorted({*LISTED, *NEEDED, *BUILT} - {"openssl"})
"""The packages whose files are compared here."""
NO_BUFFERS = ("marker", "markupsafe")
"""Packages whose code has no buffer of its own that could be protected."""
TREE = TOP / "tests/boot/tree"
"""Packages that use others as those of a product do."""
OWN = ("marker",)
"""Those of the tree."""
JSON_C = """\
#include <json-c/json.h>
#include <stdio.h>
int main(int count, char **words)
{
    struct json_object *read = json_tokener_parse(words[count - 1]), *found;
    if (!read || !json_object_object_get_ex(read, "numbers", &found))
        return 1;
    json_object_array_add(found, json_object_new_int(3));
    return puts(json_object_to_json_string_ext(read, JSON_C_TO_STRING_PLAIN)) < 0;
}
"""


GDBSERVER = 2345
"""The port of the guest at which gdbserver listens."""
UNRESOLVED = "-Wl,--allow-shlib-undefined"
"""The test's compiler may have an older C library than the guest, whose libraries need theirs."""
TRACED = """\
#include <stdio.h>
static int answer(int value)
{
    return value + 2;
}
int main(void)
{
    return printf("%d\\n", answer(40)) < 0;
}
"""
PTY = """\
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>
/* pty KEYS PROGRAM...: types a key whenever the program has drawn nothing for a second. */
int main(int count, char **words)
{
    struct winsize size = {24, 80, 0, 0};
    char drawn[4096], *keys = words[1];
    int terminal, status = 1;
    pid_t child = forkpty(&terminal, 0, 0, &size);
    if (count < 3 || child < 0)
        return 1;
    if (child == 0) {
        execvp(words[2], words + 2);
        return 127;
    }
    struct pollfd wait = {terminal, POLLIN, 0};
    for (;;) {
        if (poll(&wait, 1, 1000) == 0) {
            if (*keys && write(terminal, keys++, 1) != 1)
                return 1;
            continue;
        }
        ssize_t got = read(terminal, drawn, sizeof drawn);
        if (got <= 0)
            break;
        if (write(1, drawn, got) != got)
            return 1;
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The board with all of them, in a checkout of its own; the store is the user's."""
    folder = tmp_path_factory.mktemp("every")
    tree = shutil.copytree(TREE, tmp_path_factory.mktemp("tree") / "tree")
    small.including(folder, BOARD, OTHER, (*LISTED, *OWN))
    for targets in ((), BUILT):
        small.build(folder, BOARD, f"trees.paths={tree}", *targets)
    return folder


@pytest.fixture(scope="module")
def script(project: Path) -> Path:
    return project / "out" / BOARD / "images/run.sh"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return {"FORWARD": f"{FORWARDS},tcp:0:{GDBSERVER}"}


def give(guest: Guest, name: str, code: str, *words: str) -> None:
    """Compile a program and put it into the guest's share.

    words -- arguments of the compiler, folders and libraries
    """
    (guest.folder / f"{name}.c").write_text(code)
    command = (f"{TRIPLE}-gcc", f"{name}.c", "-o", str(guest.share / name), *words)
    subprocess.run(command, cwd=guest.folder, env={"PATH": os.environ["PATH"]}, check=True)


def on_terminal(guest: Guest, keys: str, program: str) -> str:
    """Run a program on a terminal in the guest, type keys, and return what it has drawn.

    keys -- as printf(1) writes them
    """
    if not (guest.share / "pty").exists():
        give(guest, "pty", PTY)
    run = f"TERM=vt100 timeout 100 /mnt/pty \"$(printf '{keys}')\" {program}"
    return guest.check(f"{run} >/tmp/drawn; status=$?; tr -dc ' -~' </tmp/drawn; exit $status", 120)


@pytest.mark.parametrize("name", ON_FILE)
def test_the_package_installs_what_is_on_file(name: str, project: Path, update: bool) -> None:
    """A name with the target's processor in it is on file as it is on the small board."""
    if OTHER == SMALL_BOARD:
        changes = installed.changes(project, BOARD, name, __file__, update=update)
    else:
        units = project / "out" / BOARD / "units"
        text = installed.listing(units, name, installed.stores(project))
        text = text.replace(TRIPLE, "riscv64-linux-gnu")
        changes = installed.difference(installed.LISTS / f"{name}.paths", text, __file__)
    if changes:
        pytest.fail(changes, pytrace=False)


def test_every_package_has_the_stack_protector_and_fortify(project: Path, tmp_path: Path) -> None:
    found = lacking(project / "out" / BOARD / "images", tmp_path)
    for name in NO_BUFFERS:
        del found[name]
    assert found == {}


def test_curl_trusts_the_authorities_of_the_list_and_no_others(guest: Guest) -> None:
    key, own = guest.share / "key.pem", guest.share / "own.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=own"
    names = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(own))
    subprocess.run(("openssl", *words.split(), *names), check=True, capture_output=True)
    serve = "openssl s_server -quiet -www -accept 127.0.0.1:4433 -key /mnt/key.pem"
    guest.check(f"{serve} -cert /mnt/own.pem >/dev/null 2>&1 & echo $! >/tmp/server.pid")
    retry = "--retry 20 --retry-delay 1 --retry-connrefused"
    page = guest.check(f"curl -sS {retry} --cacert /mnt/own.pem https://127.0.0.1:4433/", 120)
    assert "Cipher" in page
    refused = guest.run("curl -sS https://127.0.0.1:4433/")
    guest.check("kill $(cat /tmp/server.pid)")
    assert refused.status == 60  # curl(1): the peer's certificate cannot be verified
    assert int(guest.check("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")) > 100


def test_dbus_passes_on_messages_at_the_system_bus_and_at_one_of_a_session(guest: Guest) -> None:
    call = "--print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus"
    assert 'string "org.freedesktop.DBus"' in guest.check(f"dbus-send --system {call}.ListNames")
    pid = guest.check("cat /run/dbus-daemon.pid")
    assert guest.check(f"stat -c %U /proc/{pid}") == "messagebus"
    guest.check(f"/etc/init.d/S30dbus restart && test $(cat /run/dbus-daemon.pid) != {pid}")
    assert "method return" in guest.check(f"dbus-run-session -- dbus-send --session {call}.GetId")


def test_dnsmasq_answers_for_a_name_of_its_own(guest: Guest) -> None:
    guest.check("echo address=/thing.test/192.0.2.7 >>/etc/dnsmasq.conf")
    guest.check("/etc/init.d/S55dnsmasq restart")
    said = guest.check("nslookup -type=a thing.test 127.0.0.1 2>&1")
    assert "192.0.2.7" in said


def test_gdbserver_lets_gdb_stop_a_program_of_the_guest(guest: Guest) -> None:
    give(guest, "traced", TRACED, "-g", "-O0", "-static")
    serve = f"gdbserver --once 0.0.0.0:{GDBSERVER} /mnt/traced"
    guest.check(f"{serve} >/tmp/served 2>&1 & true")
    guest.check("left=200; until grep -q Listening /tmp/served; do"
                " left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done")  # fmt: skip
    lines = (f"target remote 127.0.0.1:{guest.port(GDBSERVER)}", "break answer", "continue")
    words = [word for line in (*lines, "print value", "kill") for word in ("-ex", line)]
    command = ("gdb-multiarch", "-nx", "-batch", *words, str(guest.share / "traced"))
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    assert "$1 = 40" in said.stdout, said.stdout + said.stderr


def test_a_program_of_glib_answers_on_the_bus_with_code_that_was_generated(guest: Guest) -> None:
    call = "gdbus call --session -d test.Marker -o / -m test.Marker.Mark a12b345"
    script = f"marker & gdbus wait --session --timeout 60 test.Marker && {call}"
    assert guest.check(f"dbus-run-session -- sh -c '{script}'", 120) == "('a<12>b<345>',)"


def test_gio_shows_files_and_their_types(guest: Guest) -> None:
    guest.check("printf 'some text' >/tmp/some.txt")
    shown = guest.check("gio info /tmp/some.txt")
    assert "standard::size: 9" in shown
    assert "standard::content-type: text/plain" in shown


def test_htop_draws_the_processes(guest: Guest) -> None:
    drawn = on_terminal(guest, "q", "htop")
    assert "Load average" in drawn
    assert "PID" in drawn


def test_iproute2_answers_for_the_networks_in_place_of_busybox(guest: Guest) -> None:
    assert "iproute2-6.1.0" in guest.check("ip -V")
    (interface,) = json.loads(guest.check("ip -j addr show dev lo"))
    assert interface["addr_info"][0]["local"] == "127.0.0.1"
    assert "dev lo" in guest.check("ip route get 127.0.0.1")
    guest.check("nc -l -p 4444 -s 127.0.0.1 >/dev/null 2>&1 & echo $! >/tmp/nc.pid")
    guest.check("left=200; until ss -Hltn | grep -q 127.0.0.1:4444; do"
                " left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done")  # fmt: skip
    guest.check("kill $(cat /tmp/nc.pid)")


def test_a_program_reads_and_writes_json(guest: Guest, project: Path, tmp_path: Path) -> None:
    part = installed.part(
        project / "out" / BOARD / "units", "json-c", "dev", installed.stores(project)
    )
    assert part
    root = tmp_path / "sysroot"
    blob.extract(part, root, part.name)
    give(guest, "own", JSON_C, f"-I{root}/usr/include", f"-L{root}/usr/lib", "-ljson-c", UNRESOLVED)
    said = guest.check("""/mnt/own '{"numbers": [1, 2], "text": "\\u00e9"}'""")
    assert json.loads(said) == {"numbers": [1, 2, 3], "text": "é"}


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("less --version", "less 668"),
        ("/sbin/modprobe --version", "kmod version 34"),
        ("i2cdetect -V", "i2cdetect version 4.4"),
    ],
)
def test_busybox_leaves_the_name_of_a_program_to_a_package_that_has_it(
    guest: Guest, program: str, says: str
) -> None:
    assert says in guest.check(f"{program} 2>&1")


def test_less_shows_a_text_page_by_page(guest: Guest) -> None:
    guest.check("seq 1000 >/tmp/numbers")
    drawn = on_terminal(guest, " q", "less /tmp/numbers")
    assert "30" in drawn
    assert "/tmp/numbers" in drawn


def test_lua_computes_and_is_a_compiler(guest: Guest) -> None:
    assert guest.check("lua -e 'print(math.floor(7 / 2), (\"x\"):rep(3))'") == "3\txxx"
    guest.check("echo 'print(6 * 7)' >/tmp/a.lua && luac -o /tmp/a.out /tmp/a.lua")
    assert guest.check("lua /tmp/a.out") == "42"


def test_nano_writes_what_is_typed(guest: Guest) -> None:
    # Ctrl-O, Enter, Ctrl-X: write, under this name, leave.
    drawn = on_terminal(guest, "two\\017\\r\\030", "nano /tmp/typed")
    assert "GNU nano" in drawn
    assert guest.check("cat /tmp/typed") == "two"


def test_python_finds_a_module_that_was_compiled_for_the_target(guest: Guest) -> None:
    code = "import markupsafe._speedups as found, markupsafe; print(found.__file__)"
    path, said = guest.check(f"python3 -c '{code}; print(markupsafe.escape(chr(60)))'").split()
    assert path.endswith(f"-{TRIPLE}.so")
    assert said == "&lt;"


def test_python_finds_a_module_its_version_and_its_compiled_form(guest: Guest) -> None:
    code = "import importlib.metadata as m, six; print(six.PY3, m.version('six'), six.__cached__)"
    (guest.share / "found.py").write_text(code)
    said = guest.check("python3 -v /mnt/found.py 2>/tmp/loaded")
    yes, version, cached = said.split()
    assert (yes, version) == ("True", "1.17.0")
    assert f"code object from '{cached}'" in guest.check("grep six /tmp/loaded")


def test_sqlite_keeps_and_searches_texts(guest: Guest) -> None:
    guest.check("sqlite3 /tmp/a.db 'create virtual table t using fts5(x)'")
    guest.check("sqlite3 /tmp/a.db \"insert into t values ('one two'), ('three')\"")
    found = guest.check("sqlite3 -list /tmp/a.db \"select x from t where t match 'two'\"")
    assert found == "one two"
    assert guest.check("sqlite3 -list /tmp/a.db 'pragma integrity_check'") == "ok"


def test_strace_shows_the_calls_of_a_program_and_of_its_children(guest: Guest) -> None:
    script = "cat /etc/hostname >/dev/null; exit 3"
    guest.check(f"strace -f -o /tmp/calls sh -c '{script}'; [ $? = 3 ]", 120)
    calls = guest.check("grep -F /etc/hostname /tmp/calls")
    assert 'openat(AT_FDCWD, "/etc/hostname", O_RDONLY' in calls
    assert "+++ exited with 3 +++" in guest.check("tail -n 1 /tmp/calls")


def test_tcpdump_shows_the_packets_that_its_filter_lets_through(guest: Guest) -> None:
    guest.check("tcpdump -i lo -n -c 1 icmp and src 127.0.0.1 >/tmp/shown 2>/tmp/said & true")
    guest.check("left=200; until grep -q 'listening on lo' /tmp/said; do"
                " left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done")  # fmt: skip
    guest.check("ping -c 1 127.0.0.1")
    guest.check("left=200; until [ -s /tmp/shown ]; do"
                " left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.05; done")  # fmt: skip
    assert "127.0.0.1 > 127.0.0.1: ICMP echo request" in guest.check("cat /tmp/shown")


def test_util_linux_divides_disks_and_shows_mounts_in_place_of_busybox(guest: Guest) -> None:
    assert "util-linux 2.42.4" in guest.check("mount --version")
    assert guest.check("findmnt -n -o FSTYPE /proc") == "proc"
    assert guest.check("blkid -o value -s TYPE /dev/vda") == "ext4"
    guest.check("truncate -s 16M /tmp/disk && echo 'size=8M, type=L' | sfdisk -q /tmp/disk")
    table = json.loads(guest.check("sfdisk -J /tmp/disk"))["partitiontable"]
    assert [part["size"] for part in table["partitions"]] == [8 * 2048]
    names = [disk["name"] for disk in json.loads(guest.check("lsblk -J"))["blockdevices"]]
    assert "vda" in names
    assert len(guest.check("uuidgen")) == 36
    assert guest.check("unshare -p -f --mount-proc sh -c 'echo $$'") == "1"


def test_zstd_compresses_and_checks(guest: Guest) -> None:
    guest.check("zstd -q -19 -o /tmp/busybox.zst /bin/busybox && zstd -q -t /tmp/busybox.zst", 120)
    guest.check("zstdcat /tmp/busybox.zst | cmp - /bin/busybox")
    guest.check("test $(stat -c %s /tmp/busybox.zst) -lt $(stat -L -c %s /bin/busybox)")
