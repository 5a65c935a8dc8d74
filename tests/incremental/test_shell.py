"""NAME-shell: the environment of a package's build, for a person or for a script."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import termios
from pathlib import Path

import pexpect
import pytest
from sleepers import own, sleeping
from waiting import within

from incremental.conftest import GREET_C, HELLO_C
from incremental.menu import menu
from incremental.project import Project

SECONDS = 60
OWN = re.compile(r"^hello 1: a shell in out/tiny/shell/hello/src, freshly unpacked and patched$")
BROKEN = "int main(void) { return greet() - ; }\n"


def shell(project: Project, name: str, script: str, *more: str) -> list[str]:
    """Run a script in a package's shell; return the lines that were printed."""
    return project.in_shell(name, script, *more).splitlines()


def source(project: Project, kind: str = "shell", name: str = "hello") -> Path:
    return project.folder / "out/tiny" / kind / name / "src"


def test_what_the_package_needs_is_built_first_and_the_package_is_not(greeting: Project) -> None:
    lines = shell(greeting, "hello", "pwd\nls\nls /quard/sysroot/usr/include/greet.h\n")
    first = next(number for number, line in enumerate(lines) if OWN.match(line))
    assert lines[-1].startswith("tiny: 1 built in ")
    assert lines[first + 1 : -1] == [
        "`exit` or Ctrl-D leaves it",
        "/quard/src",
        "COPYING",
        "Makefile",
        "hello.c",
        "/quard/sysroot/usr/include/greet.h",
    ]
    summary = greeting.run("list").summary
    assert [built["name"] for built in summary["built"]] == ["greet"]


def test_the_builds_own_command_works_and_nothing_of_it_enters_a_build(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    summary = (greeting.folder / "out/tiny/summary.json").read_bytes()
    lines = shell(greeting, "hello", "make CC=riscv64-linux-gnu-gcc hello 2>&1; touch mine\n")
    assert not [line for line in lines if "jobserver" in line or "rror" in line]
    assert (source(greeting) / "hello").exists()
    assert (greeting.folder / "out/tiny/summary.json").read_bytes() == summary
    again = shell(greeting, "hello", "ls mine\n")
    assert again[0].endswith(", as it was left") and again[-1] == "mine"
    assert greeting.run().built == []
    assert greeting.run("hello-rebuild").built == ["hello"]
    assert greeting.image() == before


def test_it_has_the_environment_of_the_build_and_nothing_of_the_users(greeting: Project) -> None:
    greeting.program("hello", HELLO_C, "-lgreet", more='needs=("greet",), prepare=(Run("env"),),')
    greeting.edit("packages/hello/recipe.py", "import Install,", "import Run, Install,")
    assert greeting.run("hello").status == 0
    log = (greeting.folder / "out/tiny/logs/hello.log").read_text()
    build = dict(re.findall(r"^(\w+)=(.*)$", log, re.MULTILINE))
    os.environ["CFLAGS"], before = "-Os", os.environ.get("CFLAGS")
    try:
        printed = "\n".join(shell(greeting, "hello", "env\n"))
    finally:
        if before is None:
            del os.environ["CFLAGS"]
        else:
            os.environ["CFLAGS"] = before
    mine = dict(re.findall(r"^(\w+)=(.*)$", printed, re.MULTILINE))
    assert build["CFLAGS"] == "-O2 -g"
    for name in ("_", "PWD", "OLDPWD", "SHLVL", "MAKEFLAGS"):
        build.pop(name, None), mine.pop(name, None)
    assert mine == build


def test_the_status_is_the_tools_own(greeting: Project) -> None:
    assert shell(greeting, "alone", "echo before; exit 7; echo after\n")[-1] == "before"


def test_it_opens_where_the_last_build_failed_and_the_next_starts_from_nothing(
    greeting: Project,
) -> None:
    greeting.program("hello", BROKEN, "-lgreet", more='needs=("greet",),')
    assert greeting.run().status == 2
    (source(greeting, "work") / "mine").touch()
    lines = shell(greeting, "hello", "ls mine; sed -i 's/- ;/- 42;/; 1i #include <greet.h>' *.c\n")
    assert lines[0] == (
        "hello 1: a shell in out/tiny/work/hello/src,"
        " where its last build failed; the next one starts from scratch"
    )
    assert lines[-1] == "mine"
    assert not (greeting.folder / "out/tiny/shell").exists()
    assert greeting.run().status == 2
    assert not (source(greeting, "work") / "mine").exists()


def test_a_folder_that_failed_for_another_recipe_is_not_opened(greeting: Project) -> None:
    greeting.program("hello", BROKEN, "-lgreet", more='needs=("greet",),')
    assert greeting.run().status == 2
    greeting.program("hello", HELLO_C, "-lgreet", version="2", more='needs=("greet",),')
    lines = shell(greeting, "hello", "cat hello.c\n")
    assert "hello 2: a shell in out/tiny/shell/hello/src, freshly unpacked and patched" in lines
    assert lines[-1] == HELLO_C.splitlines()[-1]


def test_no_build_goes_on_in_a_kept_folder_that_a_shell_was_in(greeting: Project) -> None:
    menu(greeting)
    greeting.board(["libc", "menu"])
    clean = greeting.run()
    assert clean.status == 0, clean.text
    before = greeting.image()
    work = greeting.folder / "out/tiny/work/menu"
    assert (work / "kept.json").exists()
    (greeting.folder / "packages/menu/menu.fragment").write_text("CONFIG_NET=y\nCONFIG_DEBUG=y\n")
    makefile = (work / "src/Makefile").read_text()
    (work / "src/Makefile").write_text(makefile.replace("$(CC) $(CFLAGS)", "false"))
    assert greeting.run().status == 2
    assert (work / "kept.json").exists()
    lines = shell(greeting, "menu", "echo 'int main(void) { return 9; }' >menu.c\n")
    assert "out/tiny/work/menu/src, where its last build failed" in lines[0]
    assert not (work / "kept.json").exists()
    (greeting.folder / "packages/menu/menu.fragment").write_text("CONFIG_NET=y\n")
    assert greeting.run("menu-rebuild").status == 0
    assert greeting.run().status == 0
    assert greeting.image() == before


def test_what_was_done_for_another_recipe_is_kept_beside(greeting: Project) -> None:
    shell(greeting, "hello", "touch mine\n")
    greeting.program("hello", HELLO_C, "-lgreet", version="2", more='needs=("greet",),')
    lines = shell(greeting, "hello", "ls\n")
    assert "hello: the work for another recipe is now in out/tiny/shell/hello.old" in (lines)
    assert "mine" not in lines
    assert (source(greeting, name="hello.old") / "mine").exists()


def test_a_local_tree_is_copied_and_never_touched(greeting: Project) -> None:
    tree = greeting.folder.parent / "hello-checkout"
    tree.mkdir()
    (tree / "hello.c").write_text(HELLO_C)
    (tree / "Makefile").write_text("hello: hello.c\n\t$(CC) $(CFLAGS) -o $@ hello.c -lgreet\n")
    override = f"override.hello={tree}"
    shell(greeting, "hello", "make CC=riscv64-linux-gnu-gcc hello; rm hello.c\n", override)
    assert sorted(path.name for path in tree.iterdir()) == ["Makefile", "hello.c"]
    assert (source(greeting) / "hello").exists()


def test_unsealed_it_works_the_same(greeting: Project) -> None:
    lines = shell(greeting, "hello", "make CC=riscv64-linux-gnu-gcc hello\n", "sandbox.mode=none")
    assert [line for line in lines if OWN.match(line)]
    assert (source(greeting) / "hello").exists()


@pytest.fixture(params=["bwrap", "none"])
def terminal(greeting: Project, request: pytest.FixtureRequest) -> pexpect.spawn[str]:
    """A shell on a terminal of its own, sealed or not; the prompt has been seen."""
    command, *arguments = greeting.command("alone-shell", f"sandbox.mode={request.param}")
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(greeting.folder),
        env={**os.environ, "TERM": "xterm"},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 200),
    )
    child.expect(r"alone \S*[$#] ")
    return child


def test_on_a_terminal_it_prompts_edits_lines_and_controls_jobs(
    terminal: pexpect.spawn[str],
) -> None:
    terminal.sendline("echo $TERM-$-")
    terminal.expect(r"xterm-\w*m\w*")
    terminal.sendline(f"sleep {own(1000)}")
    assert within(SECONDS, lambda: sleeping(own(1000)))
    terminal.sendintr()
    terminal.sendline(f"sleep {own(1001)}; echo slept")
    assert within(SECONDS, lambda: sleeping(own(1001)))
    terminal.sendcontrol("z")
    terminal.expect("Stopped")
    terminal.sendline("kill %1; wait %1; echo $((6 * 7))")
    terminal.expect("42")
    terminal.sendline("exit 3")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


@pytest.mark.parametrize("mode", ["bwrap", "none"])
def test_the_users_own_description_of_the_terminal_is_used(
    greeting: Project, tmp_path: Path, mode: str
) -> None:
    """No distribution has one of a terminal that was made today: here, one that clears with #."""
    text = tmp_path / "mine.ti"
    text.write_text(
        "mine|made by a test,\n\tam, cols#80, lines#24, clear=#, el=^E, cr=\\r, cuu1=^K,\n"
    )
    subprocess.run(("tic", "-x", "-o", tmp_path / "descriptions", text), check=True)
    command, *arguments = greeting.command("alone-shell", f"sandbox.mode={mode}")
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(greeting.folder),
        env={**os.environ, "TERM": "mine", "TERMINFO": str(tmp_path / "descriptions")},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 200),
    )
    child.expect(r"alone \S*[$#] ")
    child.sendcontrol("l")
    child.expect(r"#alone \S*[$#] ")
    child.sendline("echo TERMINFO=$TERMINFO.")
    child.expect_exact("TERMINFO=.")
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert not (greeting.folder / "out/tiny/work/alone/home/.terminfo").exists()


def test_the_terminal_is_as_it_was_whatever_was_done_to_it(greeting: Project) -> None:
    """A second program on the same terminal: it is in the foreground, and echoes."""
    script = (
        f"{shlex.join(greeting.command('alone-shell'))}; "
        "echo left $?; stty -a | grep -o -- '[ -]echo '; read -r line; echo got $line"
    )
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        cwd=str(greeting.folder),
        env={**os.environ, "TERM": "xterm"},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 200),
    )
    before = termios.tcgetattr(child.child_fd)
    child.expect(r"alone \S*[$#] ")
    assert termios.tcgetattr(child.child_fd) != before
    child.sendline("kill -9 $$")
    child.expect("left 0")
    child.expect(r" echo ")
    assert termios.tcgetattr(child.child_fd) == before
    child.sendline("me")
    child.expect("got me")
    child.expect(pexpect.EOF)


def test_a_tool_that_is_killed_takes_its_shell_along(terminal: pexpect.spawn[str]) -> None:
    seconds = own(1002)
    terminal.sendline(f"sleep {seconds}")
    assert within(SECONDS, lambda: sleeping(seconds))
    terminal.kill(9)
    terminal.wait()
    assert within(SECONDS, lambda: not sleeping(seconds))


def test_a_fix_found_in_the_shell_builds_once_it_is_in_the_source(greeting: Project) -> None:
    greeting.library("greet", GREET_C.replace("42;", "42"), "int greet(void);\n")
    assert greeting.run().status == 2
    lines = shell(greeting, "greet", "sed -i 's/42 }/42; }/' greet.c && make CC=$CHOST\n")
    assert "where its last build failed" in lines[0]
    greeting.library("greet", GREET_C, "int greet(void);\n")
    assert greeting.run().status == 0
