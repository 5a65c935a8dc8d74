"""Sealed builds, with the real bubblewrap; and the same commands without it."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_parts import MODES, Place

from quard.base.placeholders import LATE
from quard.process.sandbox import INSIDE, Mode, Sandbox, Work
from quard.process.system import shows

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture(params=MODES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.param)


@pytest.fixture
def sealed(tmp_path: Path) -> Place:
    return Place(tmp_path, "bwrap")


@pytest.fixture
def plain(tmp_path: Path) -> Place:
    return Place(tmp_path, "none")


# What both ways have in common


def test_output_and_errors_go_to_the_log_and_the_status_comes_back(place: Place) -> None:
    assert place.run("sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\nerr\n")


def test_a_command_that_is_not_there_fails_and_the_log_names_it(place: Place) -> None:
    for name in ("no-such-command", "./configure", "/quard/nowhere"):
        status, text = place.run(name, "--x")
        assert status != 0
        assert name in text


def test_a_file_that_is_no_program_fails_and_the_log_names_it(place: Place) -> None:
    (place.work.src / "configure").write_text("not executable")
    status, text = place.run("./configure")
    assert status != 0
    assert "./configure" in text


def test_commands_run_in_the_source_folder(place: Place) -> None:
    (place.work.src / "here").write_text("")
    assert place.sh("ls") == "here"
    assert place.sh("pwd -P") == f"{place.box.inside}/src"


def test_standard_input_is_empty_or_the_given_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("yes\n")
    assert place.run("cat") == (0, "")
    assert place.run("cat", stdin=tmp_path / "answers") == (0, "yes\n")


def test_the_environment_is_exactly_the_given_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bwrap and shells set PWD, to the folder that the command runs in."""
    monkeypatch.setenv("FROM_THE_SHELL", "1")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    place.env = {**place.env, "WITH_SPACE": "a b=c", "EMPTY": ""}
    status, text = place.run("env")
    assert status == 0
    found = dict(line.split("=", 1) for line in text.splitlines())
    assert found.pop("PWD", f"{INSIDE}/src") == f"{INSIDE}/src"
    assert found == place.env


def test_only_the_allowed_tools_are_found(place: Place) -> None:
    for name in ("python3", "git", "curl", "apt-get", "mount", "bison", "x86_64-linux-gnu-gcc"):
        status, _ = place.run("bash", "-c", f"command -v {name}")
        assert status == 1, name
    for name in ("make", "sed", "gcc", "perl", "riscv64-linux-gnu-gcc"):
        assert place.sh(f"command -v {name}") == f"{place.box.inside}/tools/{name}"


def test_every_allowed_tool_leads_to_a_program(place: Place) -> None:
    script = 'for tool in *; do [ -x "$tool" ] || echo "$tool"; done'
    assert place.sh(f"cd '{place.box.inside}/tools'; {script}") == ""


def test_each_late_placeholder_is_a_folder_that_the_commands_see(place: Place) -> None:
    assert set(place.box.folders) == set(LATE)
    for folder in place.box.folders.values():
        assert place.sh(f"test -d '{folder}' && echo yes") == "yes"


def test_what_is_written_inside_is_there_outside(place: Place) -> None:
    for name in ("src", "stage"):
        place.sh(f"echo {name} > '{place.box.inside}/{name}/file'")
        assert (place.work.root / name / "file").read_text() == f"{name}\n"
        assert (place.work.root / name / "file").stat().st_uid == os.geteuid()


@pytest.mark.parametrize("mode", MODES)
def test_the_kept_descriptors_are_inherited_and_no_others(tmp_path: Path, mode: Mode) -> None:
    ends = (*os.pipe(), *os.pipe())
    read, write, _, other = ends
    try:
        os.set_inheritable(other, True)
        place = Place(tmp_path, mode, keep=(write,))
        place.sh(f"echo through >&{write}")
        assert os.read(read, 100) == b"through\n"
        assert place.run("bash", "-c", f"echo x >&{other}")[0] != 0
    finally:
        for end in ends:
            os.close(end)


def compiled(place: Place) -> bytes:
    """Compile a file that says where it is, with debug information."""
    include = place.work.sysroot / "usr/include"
    include.mkdir(parents=True)
    (include / "own.h").write_text("static const char *header = __FILE__;\n")
    (place.work.src / "deep").mkdir()
    (place.work.src / "deep/main.c").write_text(
        "#include <own.h>\nconst char *here = __FILE__;\nconst char *f(void) { return header; }\n"
    )
    folder = place.box.folders["src"]
    place.sh(f"riscv64-linux-gnu-gcc -g -O2 -c '{folder}/deep/main.c' -o main.o")
    return (place.work.src / "main.o").read_bytes()


def test_both_ways_compile_to_the_same_bytes_without_a_folder_of_the_build(tmp_path: Path) -> None:
    places = [Place(tmp_path / mode, mode) for mode in MODES]
    results = [compiled(place) for place in places]
    assert results[0] == results[1]
    assert b"/usr/src/thing-1.0/deep/main.c" in results[0]
    assert b"/usr/include/own.h" in results[0]
    for leak in (INSIDE.encode(), os.fsencode(tmp_path)):
        assert leak not in results[0]


def test_threads_run_commands_side_by_side(tmp_path: Path) -> None:
    results: dict[int, tuple[int, str]] = {}

    def one(number: int, place: Place) -> None:
        results[number] = place.run("bash", "-c", f"sleep 0.1; echo {number}; exit {number}")

    threads = [
        threading.Thread(target=one, args=(n, Place(tmp_path / str(n), MODES[n % 2])))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: (n, f"{n}\n") for n in range(4)}


# What only the sealed way gives


def test_the_network_is_off(sealed: Place) -> None:
    with listening() as port:
        status, text = sealed.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}")
    assert status != 0
    assert "refused" in text
    assert sealed.sh("cut -d: -f1 -s /proc/net/dev").split() == ["lo"]


def test_without_the_sandbox_the_same_connection_is_made(plain: Place) -> None:
    """So that the test before cannot succeed for another reason."""
    with listening() as port:
        assert plain.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}")[0] == 0


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_home_checkout_and_the_rest_of_the_machine_are_invisible(sealed: Place) -> None:
    for path in (Path.home(), TOP, sealed.work.root, Path("/var"), Path("/run")):
        assert path.exists()
        assert sealed.run("test", "-e", str(path))[0] == 1, path
    top = set(sealed.sh("ls -A /").split())
    assert top <= {
        "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "quard", "sbin", "tmp",
        "usr",
    }  # fmt: skip
    assert set(sealed.sh("ls -A /etc").split()) <= {
        "alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd",
    }  # fmt: skip
    assert sealed.sh("ls -A /usr/local") == ""
    assert sealed.sh("ls -A /tmp") == ""
    assert set(sealed.sh("ls -A /quard").split()) == {
        "files", "home", "native", "src", "stage", "sysroot", "tools",
    }  # fmt: skip


def test_three_folders_can_be_written_and_nothing_else_but_tmp(sealed: Place) -> None:
    script = (
        "for folder in $(find / -maxdepth 2 -type d -not -path '/proc*' -not -path '/dev*');"
        " do if touch $folder/.x 2> /tmp/why; then echo $folder; rm $folder/.x;"
        " else grep -q 'Read-only file system' /tmp/why || cat /tmp/why; fi; done"
    )
    assert sorted(sealed.sh(script).splitlines()) == [
        "/quard/home",
        "/quard/src",
        "/quard/stage",
        "/tmp",
    ]


def test_a_mount_cannot_be_made_writable_again(sealed: Place) -> None:
    status, text = sealed.run("/usr/bin/mount", "-o", "remount,rw,bind", "/usr")
    assert status != 0
    assert "permission denied" in text.lower() or "must be superuser" in text


def test_what_is_put_into_tmp_does_not_outlive_the_command(sealed: Place) -> None:
    sealed.sh("touch /tmp/x")
    assert sealed.sh("ls -A /tmp") == ""


def test_user_and_host_have_fixed_names(sealed: Place) -> None:
    assert sealed.sh("id -u; id -g; whoami; uname -n").split() == ["1000", "1000", "build", "quard"]


def test_other_processes_are_invisible(sealed: Place) -> None:
    seen = [name for name in sealed.sh("ls /proc").split() if name.isdigit()]
    assert 0 < len(seen) < 10
    assert max(int(name) for name in seen) < 100


def test_a_shown_folder_is_visible_and_read_only(tmp_path: Path, sealed: Place) -> None:
    opt = tmp_path / "opt"
    opt.mkdir()
    (opt / "tool").write_text("x")
    box = Sandbox(mode="bwrap", work=sealed.work, show=(opt, Path("/usr/bin")))
    sealed.box = box
    assert sealed.sh(f"cat {opt}/tool") == "x"
    assert sealed.run("touch", f"{opt}/new")[0] != 0


def test_what_the_sandbox_shows_is_told(sealed: Place) -> None:
    for folder in ("/usr/bin", "/bin", "/usr/lib/gcc-cross"):
        assert shows(Path(folder))
        assert sealed.run("test", "-d", folder)[0] == 0
    for folder in ("/usr/local/bin", "/opt/x", "/usrx", "/home/me/bin", "bin", ""):
        assert not shows(Path(folder))


def test_the_set_group_bit_of_a_folder_above_is_not_inherited(tmp_path: Path) -> None:
    tmp_path.chmod(0o2775)
    work = Work(tmp_path / "work/name")
    work.make()
    (work.stage / "usr").mkdir()
    for folder in (work.root, work.stage, work.stage / "usr"):
        assert not folder.stat().st_mode & stat.S_ISGID
