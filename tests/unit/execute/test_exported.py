"""Whether dependants find the modules that pkg-config files require, with pkg-config as judge."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from split_parts import write

from quard.base.errors import QuardError
from quard.execute.exported import unseen
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.ledger.results import LostResult, Results
from quard.plan.plan import Plan
from quard.process.sandbox import Work
from quard.store import blob
from quard.store.local import Store
from quard.store.stores import Stores
from quard.target import ElfAbi

PC = "prefix=/usr\nName: x\nDescription: x\nVersion: 2\n"
ABI = ElfAbi("EM_RISCV", 64, "little", (6, 4))


class Built:
    """A package that was built, and the dev parts of what its build sees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = Work(folder / "work")
        self.work.make()
        self.shared = Store(folder / "shared")
        self.dev: dict[str, str] = {}

    def needs(self, name: str, files: Mapping[str, str]) -> None:
        """Let the build see a package with these pkg-config files."""
        part = self.folder / name
        for path, text in {"usr/include/all.h": "", **files}.items():
            write(part / path, text)
        with self.shared.scratch() as scratch:
            blob.pack(part, blob.walk(part), scratch / "dev")
            self.dev[name] = self.shared.add(scratch / "dev")
        for path, text in files.items():
            write(self.work.sysroot / path, text)

    def installs(self, path: str, text: str) -> None:
        write(self.work.stage / path, PC + text)

    def errors(self, *exports: str, native: bool = False) -> list[QuardError]:
        plan = Plan(
            name="lib", version="1", triple="t", needs=tuple(sorted(self.dev)), exports=exports,
            native=native,
        )  # fmt: skip
        job = Job(plan=plan, now={}, abi=ABI, dev=self.dev, native={})
        place = JobPlace(
            requests=(),
            tree=None,
            files={},
            needs={name: f"initramfs/{name}" for name in self.dev},
            natives={},
            results=Results(self.folder, "lib"),
            work=self.work.root,
            log=self.folder / "log",
            shown="log",
        )
        stores = Stores(Store(self.folder / "local"), self.shared)
        return [*unseen(job, place, self.work, blob.walk(self.work.stage), stores)]

    def is_found(self, module: str, *exports: str) -> bool:
        """Return whether pkg-config finds a module where a dependant looks."""
        folders = [self.work.stage, *(self.folder / name for name in exports)]
        search = [f"{each}/usr/{kind}/pkgconfig" for each in folders for kind in ("lib", "share")]
        asked = ("pkg-config", "--print-errors", "--cflags", module)
        env = {"PATH": "/usr/bin:/bin", "PKG_CONFIG_LIBDIR": ":".join(search)}
        return subprocess.run(asked, env=env, check=False, capture_output=True).returncode == 0


@pytest.fixture
def built(tmp_path: Path) -> Built:
    found = Built(tmp_path)
    found.needs("terminal", {"usr/lib/pkgconfig/tinfo.pc": PC, "usr/lib/pkgconfig/form.pc": PC})
    found.needs("tls", {"usr/share/pkgconfig/crypto.pc": f"{PC}Provides: hash = 1, sign = 3\n"})
    return found


@pytest.mark.parametrize(
    "field",
    [
        "Requires: tinfo",
        "Requires.private: tinfo",
        "requires.Private : tinfo >= 1",
        "which=tinfo\nRequires: ${which}",
        "Requires:\\\n form >= 1 \\\n tinfo",
    ],
)
def test_a_required_module_of_a_package_that_is_not_exported_is_an_error(
    built: Built, field: str
) -> None:
    built.installs("usr/lib/pkgconfig/line.pc", f"{field}\n")
    (error,) = built.errors("tls")
    assert error.reason == "pkg-config-requires"
    assert "usr/lib/pkgconfig/line.pc: tinfo, of terminal" in error.detail.splitlines()
    assert not built.is_found("line", "tls")


@pytest.mark.parametrize(
    "field",
    [
        "Requires: tinfo, form >= 1,tinfo = 2 form < 3  crypto > 1",
        "Requires.private: tinfo\nRequires: hash, sign",
        "Requires: own, also-own",
        "Requires: pkg-config >= 0.2",
        "Requires:\nRequires.private: # missing",
        "Requires: ${none}",
        "Conflicts: elsewhere < 1",
    ],
)
def test_modules_that_dependants_find_are_no_error(built: Built, field: str) -> None:
    built.installs("usr/lib/pkgconfig/line.pc", f"{field}\n")
    built.installs("usr/share/pkgconfig/own.pc", "Provides: also-own = 1\n")
    (built.work.stage / "usr/lib/pkgconfig/link.pc").symlink_to("line.pc")
    assert built.errors("terminal", "tls") == []
    assert built.is_found("line", "terminal", "tls")


def test_all_are_named_with_the_packages_that_have_them(built: Built) -> None:
    built.installs("usr/lib/pkgconfig/b.pc", "Requires: nowhere, form\n")
    built.installs("usr/lib/pkgconfig/a.pc", "Requires.private: sign\n")
    (error,) = built.errors()
    assert error.detail.splitlines() == [
        "usr/lib/pkgconfig/a.pc: sign, of tls",
        "usr/lib/pkgconfig/b.pc: form, of terminal",
        "usr/lib/pkgconfig/b.pc: nowhere, which no package in `needs` has",
    ]


def test_a_condition_without_a_space_is_a_part_of_the_name_as_for_pkg_config(built: Built) -> None:
    built.installs("usr/lib/pkgconfig/line.pc", "Requires: tinfo>=1\n")
    (error,) = built.errors("terminal")
    assert "tinfo>=1, which no package in `needs` has" in error.detail
    assert not built.is_found("line", "terminal")


def test_files_that_no_build_searches_are_not_read(built: Built) -> None:
    built.installs("usr/lib/python3/pkgconfig/odd.pc", "Requires: nowhere\n")
    built.installs("usr/lib/pkgconfig/odd.pc.in", "Requires: nowhere\n")
    assert built.errors() == []


def test_a_build_for_the_build_machine_sees_what_its_needs_were_built_with(built: Built) -> None:
    built.installs("usr/lib/pkgconfig/line.pc", "Requires: tinfo\n")
    assert built.errors(native=True) == []


def test_a_part_that_is_lost_meanwhile_is_named_so_that_it_is_made_again(built: Built) -> None:
    built.installs("usr/lib/pkgconfig/line.pc", "Requires: tinfo\n")
    built.shared.path(built.dev["terminal"]).unlink()
    with pytest.raises(LostResult, match="initramfs/terminal"):
        built.errors("terminal")
