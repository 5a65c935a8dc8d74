"""Completion, in the shells that it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from terminal_parts import Terminal

from quard.face import cli, completion


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a checkout with packages and boards, beside a product tree with one of each."""
    for name in ("checkout/packages/zlib", "checkout/packages/zsh+x", "product/packages/mytool"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "recipe.py").touch()
    (tmp_path / "checkout/packages/notes").mkdir()
    for name in ("checkout/configs/star", "checkout/configs/star-small", "product/configs/widget"):
        file = tmp_path / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    script = tmp_path / "checkout/scons"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    return tmp_path / "checkout"


COMPLETE = r"""
eval "$1"
line=$2 COMP_LINE=$2 COMP_WORDS=()
# As readline does, which takes = for a word of its own.
for word in ${line//=/ = }; do COMP_WORDS+=("$word"); done
[ "${line% }" = "$line" ] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { printf 'compopt %s\n' "$*"; }
_quardroot
printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(folder: Path, line: str) -> list[str]:
    """Return what bash offers for a line with the cursor at its end."""
    done = subprocess.run(
        ("bash", "-c", COMPLETE, "bash", completion.bash(), line),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def test_every_target_and_variable_is_offered(folder: Path) -> None:
    offered = bash(folder, "./scons ")
    wanted = {*cli.BUILDS, *cli.QUESTIONS, *cli.OPTIONS, *(f"{name}=" for name in cli.VARIABLES)}
    assert wanted <= {*offered}
    assert {"zlib", "zsh+x", "cache."} <= {*offered}
    assert "notes" not in offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("./scons why zl", ["zlib"]),
        ("./scons zlib-", [f"zlib-{suffix}" for suffix in cli.SUFFIXES]),
        ("./scons zlib-m", ["zlib-menuconfig"]),
        ("./scons BOARD=", ["star", "star-small"]),
        ("./scons BOARD=star-", ["star-small"]),
        ("./scons run BOARD=star-", ["star-small"]),
        ("./scons list FORMAT=j", ["json"]),
        ("./scons BOA", ["compopt -o nospace", "BOARD="]),
        ("./scons trees.paths=../product my", ["mytool"]),
        ("./scons trees.paths=../none,../product BOARD=w", ["widget"]),
        ("./scons nothing-like-this", [""]),
        ("../checkout/scons zl", ["zlib"]),
        ("scons zl", ["zlib"]),
    ],
)
def test_bash_completes(folder: Path, line: str, offered: list[str]) -> None:
    assert bash(folder, line) == offered


def test_the_trees_of_local_toml_and_the_checkout_of_a_product_are_known(folder: Path) -> None:
    (folder / "local.toml").write_text('[cache]\ndir = "x"\n[trees]\npaths = ["../product"]\n')
    assert bash(folder, "./scons my") == ["mytool"]
    product = folder.parent / "product"
    for written in ('"../checkout"', "'../checkout' # ours"):
        (product / "quardroot.toml").write_text(f'name = "acme"\ncheckout = {written}\n')
        assert bash(product, "./scons zl") == ["zlib"]
    assert bash(product, "./scons BOARD=") == ["star", "star-small", "widget"]


def test_names_that_are_not_valid_are_neither_offered_nor_expanded(folder: Path) -> None:
    for name in ("$(touch${IFS}made)", "`touch${IFS}made`", "zl ib", "zlib;x", "Zlib"):
        (folder / "packages" / name).mkdir()
        (folder / "packages" / name / "recipe.py").touch()
        (folder / f"configs/{name}.toml").touch()
    assert bash(folder, "./scons zl") == ["zlib"]
    assert bash(folder, "./scons BOARD=") == ["star", "star-small"]
    assert not (folder / "made").exists()


def test_the_script_for_bash_is_clean() -> None:
    done = subprocess.run(
        ("shellcheck", "--shell=bash", "-"),
        input=completion.bash(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("./scons tools-u", "./scons tools-update"),
        ("./scons zlib-men", "./scons zlib-menuconfig"),
        ("./scons zl", "./scons zlib"),
        ("./scons BOARD=star-", "./scons BOARD=star-small"),
        ("./scons BOA", "./scons BOARD="),
        ("./scons list FORMAT=j", "./scons list FORMAT=json"),
        ("./scons trees.paths=../product my", "./scons trees.paths=../product mytool"),
    ],
)
def test_zsh_completes(folder: Path, line: str, completed: str) -> None:
    """In a real zsh on a terminal: it has no other way to ask its completion."""
    (folder / "completion.zsh").write_text(completion.zsh())
    zsh = shutil.which("zsh")
    assert zsh, "zsh is among the packages for tests in host-packages.list"
    terminal = Terminal((zsh, "-f", "-i"), folder=folder, env={"PS1": "% ", "ZDOTDIR": str(folder)})
    terminal.child.send(
        "autoload -Uz compinit; compinit -u -D; . ./completion.zsh; unset zle_bracketed_paste;"
        " echo re''ady\n"
    )
    terminal.child.expect_exact("ready\r\n")
    terminal.child.send(f"{line}\t")
    terminal.child.send("\x01echo '\x05'#\n")  # Ctrl-A, Ctrl-E: what the line has become is printed
    terminal.child.expect_exact("\r\n")
    terminal.child.expect(r"([^\r\n]*)#\r")
    match = terminal.child.match
    assert isinstance(match, re.Match) and match[1].decode().strip() == completed
    terminal.child.close()
