"""quard.tools.names: configs/tools/names.toml, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.tools.names import load
from quard.tools.place import FILE

PROJECT = Path(__file__).resolve().parents[3]
LINES = {
    "release": 'release = "one"',
    "common": 'common = ["make", "bash"]',
    "build": "build = []",
    "further": 'further = ["python3"]',
    "python": "python = []",
    "menuconfig": 'menuconfig = ["libncurses-dev"]',
    "terminals": "terminals = []",
    "machine": 'machine = ["e2fsprogs"]',
    "emulators": "emulators = []",
    "debug": "debug = []",
    "launchers": "launchers = []",
    "omit": 'omit = ["debconf"]',
    "links": '[links]\n"usr/bin/awk" = "gawk"',
    "commands": '[commands]\npython3 = "python3"',
}


def write(folder: Path, **changed: str) -> Path:
    """Write the names with some lines changed; return the project."""
    path = folder / FILE
    path.parent.mkdir(parents=True)
    path.write_text("\n".join((LINES | changed).values()) + "\n")
    return folder


def test_names_are_sorted_lists_of_packages(tmp_path: Path) -> None:
    names = load(write(tmp_path), {"riscv64-linux-gnu": ("gcc-riscv64-linux-gnu",)})
    assert names.release == "one"
    assert names.common == ("bash", "make")
    assert names.all == (
        "bash", "e2fsprogs", "gcc-riscv64-linux-gnu", "libncurses-dev", "make", "python3"
    )  # fmt: skip
    assert [name for name, _ in names.lists()][-1] == "targets.riscv64-linux-gnu"
    assert names.omit == {"debconf"}
    assert names.links == {"usr/bin/awk": "gawk"}


@pytest.mark.parametrize(
    ("key", "line", "text"),
    [
        ("common", 'common = "bash"', "common must be a list of strings"),
        ("common", 'common = ["Bash"]', "common contains 'Bash', which is not a name"),
        ("common", 'common = ["bash", "bash"]', "common contains bash twice"),
        ("further", "", "further is missing"),
        ("further", 'furthr = []\nfurther = ["python3"]', "unknown key furthr"),
        ("release", 'release = "../one"', "release contains '../one'"),
        ("omit", 'omit = ["bash"]', "omit contains bash, which a list names"),
        ("targets", '[targets]\nx = ["gcc"]', "unknown key targets"),
        ("links", '[links]\n"bin/awk" = "gawk"', "links.bin/awk is not a path below usr"),
        ("links", '[links]\n"usr/../awk" = "gawk"', "is not a path below usr"),
        ("links", '[links]\n"usr/bin/awk" = "/usr/bin/gawk"', "is not a relative path"),
        ("commands", '[commands]\npython3 = "python"', "gives python, which no list names"),
    ],
)
def test_bad_names_are_one_error(tmp_path: Path, key: str, line: str, text: str) -> None:
    with pytest.raises(QuardError) as caught:
        load(write(tmp_path, **{key: line}))
    assert caught.value.reason == "bad-tools"
    assert text in caught.value.message
    assert FILE in caught.value.message


def test_a_missing_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(QuardError, match="cannot be read") as caught:
        load(tmp_path)
    assert caught.value.reason == "bad-tools"


def test_the_projects_own_names_can_be_read() -> None:
    assert "gcc" in load(PROJECT).common
