"""The ./scons wrapper, run for real in small checkouts.

A folder of links is the whole PATH, so that each test decides what is "installed"; a wheel made
here takes the place of SCons. apt, sudo and the user's identity are stood in for: no test may
change the machine. Making a virtual environment takes seconds: done once, copied afterwards.
"""

from __future__ import annotations

import base64
import ensurepip
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from waiting import within

import company

TOP = Path(__file__).resolve().parents[2]
TOOLS = (
    *("cat", "cmp", "cp", "date", "dd", "env", "flock", "grep", "id", "mkdir", "mv", "readlink"),
    *("rm", "rmdir", "sed", "sleep", "sort", "tail", "tee", "touch", "tr", "uname"),
)
LIST = "# a comment\n\ncoreutils cp copies files\n"
Env = Mapping[str, str]
NOTHING: Env = {}
FAKE_SCONS = """
import json, os, sys
told = {"args": sys.argv[1:], "cwd": os.getcwd(), "path": sys.path}
told["streams"] = [stream is not None for stream in (sys.stdin, sys.stdout, sys.stderr)]
told["tools"] = os.environ.get("QUARDROOT_TOOLS")
print(json.dumps({**told, "compiles": not sys.dont_write_bytecode}))
"""


def make_wheel(folder: Path, name: str = "scons", main: str = FAKE_SCONS) -> str:
    """Write a wheel, by default one that tells how SCons was started; return its lock line."""
    package = "SCons" if name == "scons" else name
    files = {
        f"{package}/__init__.py": "",
        f"{package}/__main__.py": main,
        f"{name}-0.1.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n",
        f"{name}-0.1.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{path},sha256={digest.rstrip('=')},{len(text)}\n"
    files[f"{name}-0.1.dist-info/RECORD"] = f"{record}{name}-0.1.dist-info/RECORD,,\n"
    wheel = folder / f"{name}-0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}==0.1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


@dataclass(frozen=True)
class Checkout:
    """A checkout with a PATH of its own."""

    top: Path
    bin: Path
    env: dict[str, str]

    def start(
        self, *args: str, cwd: Path | None = None, command: str = "", env: Env = NOTHING
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [command or str(self.top / "scons"), *args],
            cwd=cwd or self.top,
            env={**self.env, "PATH": str(self.bin), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *args: str, cwd: Path | None = None, command: str = "", env: Env = NOTHING
    ) -> Result:
        process = self.start(*args, cwd=cwd, command=command, env=env)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Result(process.returncode, out, err)

    def stub(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        script(self.bin / name, text)

    def calls(self) -> list[str]:
        log = self.bin.parent / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def leftovers(self) -> list[str]:
        """Whatever looks like an environment, finished or not."""
        kept = {"bootstrap.lock", "bootstrap.log", "bootstrap.packages"}
        found = [*self.top.glob(".venv*"), *self.top.glob("out/*")]
        return [path.name for path in found if path.name not in kept]


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The reason of the one error block, whose form is checked on the way."""
        assert self.status == 2, self.err
        block = self.err[self.err.index("error: ") :]
        assert re.fullmatch(r"error: .+\n(  .*\n)*reason: [a-z-]+\nhint: .+\n", block), block
        return block[block.rindex("\nreason: ") :].split()[1]

    @property
    def scons(self) -> dict[str, Any]:
        """What the stand-in for SCons was given."""
        assert self.status == 0, self.err
        told: dict[str, Any] = json.loads(self.out)
        assert told["args"][0] == "-Q", told  # SCons is to be quiet about itself
        return {**told, "args": told["args"][1:]}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Result]:
    """A checkout made ready with this Python, the real venv and the real pip; and that start."""
    root = tmp_path_factory.mktemp("bootstrap")
    top, tools, wheels = root / "my checkout", root / "bin", root / "wheels"
    for folder in (top, tools, wheels, root / "home"):
        folder.mkdir()
    for name in TOOLS:
        real = shutil.which(name)
        assert real, f"{name} is not on this machine"
        (tools / name).symlink_to(real)
    script(tools / "python3", f'exec "{Path(sys.executable).resolve()}" "$@"\n')
    shutil.copy2(TOP / "scons", top)
    (top / "site_scons").symlink_to(
        TOP / "site_scons"
    )  # leaves all to SCons: no SConstruct is here
    (top / "host-packages.list").write_text(LIST)
    scons = make_wheel(wheels)
    (top / "requirements.lock").write_text(scons)
    for extra in ("test", "remote"):
        lock = make_wheel(wheels, extra, "") + scons  # extras may name what all starts need
        (top / f"requirements-{extra}.lock").write_text(lock)
    env = {
        "HOME": str(root / "home"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
    }
    checkout = Checkout(top, tools, env)
    return checkout, checkout.run("first", "a b", "$c")


@pytest.fixture(scope="session")
def template(lab: tuple[Checkout, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of a few files, so that copying it is quick: pip lies outside of it."""
    root = tmp_path_factory.mktemp("template")
    python = lab[0].top / ".venv/bin/python"
    subprocess.run([python, "-m", "venv", "--without-pip", root / "venv"], check=True)
    (installed,) = (lab[0].top / ".venv/lib").glob("python*/site-packages")
    for part in installed.glob("pip*"):
        shutil.copytree(part, root / "pip" / part.name)
    (own,) = (root / "venv/lib").glob("python*/site-packages")
    (own / "pip.pth").write_text(f"{root / 'pip'}\n")
    return root / "venv"


@pytest.fixture
def fresh(lab: tuple[Checkout, Result], template: Path, tmp_path: Path) -> Checkout:
    """A checkout before its first start. Its python3 copies a virtual environment into place, and
    waits for as long as a file `wait` lies beside the folder of tools."""
    checkout = Checkout(tmp_path / "a copy", tmp_path / "bin", lab[0].env)
    checkout.top.mkdir()
    for path in (lab[0].top / "scons", *lab[0].top.glob("*.l*")):
        shutil.copy2(path, checkout.top)
    (checkout.top / "site_scons").symlink_to(TOP / "site_scons")
    shutil.copytree(lab[0].bin, checkout.bin, symlinks=True)
    checkout.stub(
        "python3",
        f"""case "$*" in
            *'print("ok "'*) echo "ok {checkout.bin}/python3" ;;
            '-I -m venv --without-pip .venv') : >'{tmp_path}/running'
                while [ -e '{tmp_path}/wait' ]; do sleep 0.02; done
                cp -a '{template}/.' .venv/ ;;
            *) exit 9 ;;
        esac\n""",
    )
    return checkout


@pytest.fixture(scope="session")
def made(
    lab: tuple[Checkout, Result], template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The environment of such a checkout, finished."""
    top = tmp_path_factory.mktemp("made")
    shutil.copytree(template, top / ".venv", symlinks=True)
    (installed,) = (lab[0].top / ".venv/lib").glob("python*/site-packages/SCons")
    (own,) = (top / ".venv/lib").glob("python*/site-packages")
    shutil.copytree(installed, own / "SCons")
    shutil.copytree(lab[0].top / ".venv/bootstrap", top / ".venv/bootstrap")
    return top / ".venv"


@pytest.fixture
def ready(fresh: Checkout, made: Path) -> Checkout:
    """A checkout after its first start."""
    shutil.copytree(made, fresh.top / ".venv", symlinks=True)
    return fresh


@pytest.fixture
def debian(ready: Checkout) -> Checkout:
    """A machine with apt, and a newer list of packages: one of two `busybox` is installed, `bison`
    and a package without a proof are not. Calls of apt-get are written down; its first installation
    fails, as with stale lists, the next one brings the command bison."""
    (ready.top / "host-packages.list").write_text(
        LIST + "busybox-static|busybox cp shell\nbison bison parser\nno-proof - library\n"
    )
    ready.stub("id", "echo 0\n")
    ready.stub(
        "dpkg-query",
        "printf 'installed coreutils\\ninstalled busybox\\nconfig-files bison\\n'; exit 1\n",
    )
    ready.stub(
        "apt-get",
        f"""cd '{ready.bin}' && echo "${{DEBIAN_FRONTEND:-asks}} $*" >>../calls
        case "$*" in
            *' update') touch ../updated ;;
            *) [ -e ../updated ] || {{ echo 'E: Unable to locate'; exit 100; }}
               echo 'Need to get 3 MB of archives.'; cp cp bison ;;
        esac\n""",
    )
    return ready


def test_first_start_makes_the_environment_and_becomes_scons(lab: tuple[Checkout, Result]) -> None:
    checkout, first = lab
    assert first.scons["args"] == ["first", "a b", "$c"]
    assert first.scons["cwd"] == str(checkout.top)
    assert "creating .venv" in first.err and "no apt here" in first.err


@pytest.mark.parametrize(
    "elsewhere",
    ["sysconfig.get_config_var = lambda name: None", "glob.glob = lambda pattern: []"],
    ids=["in-python", "unknown"],
)
def test_pip_is_the_one_that_comes_with_python(
    lab: tuple[Checkout, Result], tmp_path: Path, elsewhere: str
) -> None:
    bundled = Path(ensurepip.__file__).parent / "_bundled"
    if elsewhere.startswith("sysconfig") and not any(bundled.glob("pip-*.whl")):
        pytest.skip("this Python comes without pip: the system's folder has it (WHEEL_PKG_DIR)")
    text = (lab[0].top / "scons").read_text()
    (code,) = re.findall(r"^python_pip='\n(.*?)^'\n", text, re.M | re.S)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    pythons = (tmp_path / "bin/python", lab[0].top / ".venv/bin/python")
    start = f"import glob, sysconfig\n{elsewhere}\n{code}"
    subprocess.run([pythons[0], "-I", "-c", start], check=True, capture_output=True, timeout=60)
    own, usual = (
        subprocess.check_output([python, "-I", "-m", "pip", "--version"]).split()[1]
        for python in pythons
    )
    assert own == usual


def test_of_several_wheels_of_pip_the_last_is_taken(tmp_path: Path) -> None:
    text = (TOP / "scons").read_text()
    (code,) = re.findall(r"^python_pip='\n(.*?)^'\n", text, re.M | re.S)
    for number in ("9", "1", "5"):
        with zipfile.ZipFile(tmp_path / f"pip-{number}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("version", number)
    start = f"""
import glob, os, sysconfig
sysconfig.get_config_var = lambda name: {str(tmp_path)!r}
sysconfig.get_path = lambda name: {str(tmp_path / "into")!r}
listed = glob.glob
glob.glob = lambda pattern: sorted(listed(pattern))[ORDER]
{code}"""
    for order in ("::1", "::-1"):
        subprocess.run([sys.executable, "-I", "-c", start.replace("ORDER", order)], check=True)
        assert (tmp_path / "into/version").read_text() == "9"


def test_moved_checkout_still_starts(lab: tuple[Checkout, Result], tmp_path: Path) -> None:
    shutil.copytree(lab[0].top, tmp_path / "moved", symlinks=True)
    moved = Checkout(tmp_path / "moved", lab[0].bin, lab[0].env).run()
    assert moved.scons["cwd"] == str(tmp_path / "moved")
    assert moved.err == "" and str(lab[0].top) not in "".join(moved.scons["path"])


def test_second_start_runs_nothing_but_cmp_and_python(ready: Checkout) -> None:
    for tool in ready.bin.iterdir():
        if tool.name not in ("cmp", "cp"):
            tool.unlink()
    again = ready.run("x")
    assert again.scons["args"] == ["x"]
    assert again.err == ""


def test_any_folder_and_a_link_lead_to_the_top(ready: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "quard"
    link.symlink_to(ready.top / "scons")
    assert ready.run(cwd=tmp_path, command=str(link)).scons["cwd"] == str(ready.top)
    (ready.top / "below").mkdir()
    result = ready.run(cwd=ready.top / "below", command="../scons", env={"CDPATH": "/"})
    assert result.scons["cwd"] == str(ready.top)
    sh = shutil.which("sh")
    assert sh and ready.run("scons", "x", command=sh).scons["args"] == ["x"]


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Return the folder of a product, with a space in its path."""
    folder = tmp_path / "a product"
    folder.mkdir()
    (folder / "quardroot.toml").write_text('name = "acme"\n')
    return folder


def test_a_product_is_the_top_of_scons_and_has_the_checkouts_engine(
    ready: Checkout, product: Path
) -> None:
    for named, cwd in ((str(product), ready.top), ("a product", product.parent), (".", product)):
        result = ready.run("run", "-j2", cwd=cwd, env={"QUARDROOT_PRODUCT": named})
        told = json.loads(result.out)
        assert told["cwd"] == str(product)
        assert told["args"] == [
            f"--file={ready.top}/SConstruct",
            f"--site-dir={ready.top}/site_scons",
            *("-Q", "run", "-j2"),
        ]
        assert result.err == ""
    assert [path.name for path in product.iterdir()] == ["quardroot.toml"]


def test_a_folder_that_is_no_product_is_refused(ready: Checkout, product: Path) -> None:
    (product / "quardroot.toml").unlink()
    for folder in (product, product / "none"):
        result = ready.run(env={"QUARDROOT_PRODUCT": str(folder)})
        assert result.reason == "bad-tree"
        assert str(folder) in result.err


def test_a_products_path_that_tools_cannot_take_is_refused(ready: Checkout, product: Path) -> None:
    product.rename(product.with_name("a:b"))
    result = ready.run(env={"QUARDROOT_PRODUCT": str(product.with_name("a:b"))})
    assert result.reason == "bad-path"
    assert "the product's path has a character" in result.err


@pytest.fixture
def example(ready: Checkout, product: Path) -> Path:
    """Return the same folder, with the script of the example."""
    ready.stub("dirname", 'exec /usr/bin/dirname "$@"')
    shutil.copy(TOP / "docs/examples/product/scons", product)
    return product


def test_the_script_of_the_example_starts_the_checkout_that_its_tree_names(
    ready: Checkout, example: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(example / "scons")
    (example / "sub").mkdir()
    for named in (f'"{ready.top}" # ours', f"\t'{os.path.relpath(ready.top, example)}'"):
        (example / "quardroot.toml").write_text(f'name = "acme"\ncheckout = {named}\n')
        for command, cwd in (
            ("./scons", example),
            ("../scons", example / "sub"),
            (str(tmp_path / "link"), tmp_path),
        ):
            told = json.loads(ready.run("x", cwd=cwd, command=command).out)
            assert (told["cwd"], told["args"][-2:]) == (str(example), ["-Q", "x"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('checkout = "quardroot"', "there is no checkout of Quardroot in {}/quardroot"),
        ('checkout = "."', "there is no checkout of Quardroot in {}/."),
        ('checkout = ""', "{}/quardroot.toml names no checkout of Quardroot"),
        ("checkout = 3", "{}/quardroot.toml names no checkout of Quardroot"),
        ("", "{}/quardroot.toml names no checkout of Quardroot"),
    ],
)
def test_the_script_of_the_example_says_where_it_looks_for_a_checkout(
    ready: Checkout, example: Path, line: str, said: str
) -> None:
    (example / "quardroot.toml").write_text(f'name = "acme"\n{line}\n')
    result = ready.run(cwd=example, command="./scons")
    assert result.reason == "bad-tree"
    assert result.err.startswith(f"error: {said.format(example)}\n")


def test_the_script_of_the_example_says_how_to_get_a_checkout(
    ready: Checkout, example: Path
) -> None:
    (example / "quardroot.toml").write_text('name = "acme"\ncheckout = "quardroot"\n')
    hint = "git submodule add ADDRESS FOLDER, or correct `checkout` in quardroot.toml"
    assert f"hint: {hint}\n" in ready.run(cwd=example, command="./scons").err
    (example / ".gitmodules").touch()
    hint = "git submodule update --init, or correct `checkout` in quardroot.toml"
    assert f"hint: {hint}\n" in ready.run(cwd=example, command="./scons").err


def test_the_script_of_the_example_needs_the_trees_file(ready: Checkout, example: Path) -> None:
    (example / "quardroot.toml").unlink()
    result = ready.run(cwd=example, command="./scons")
    assert result.reason == "bad-tree"
    assert result.err.startswith(f"error: {example}/quardroot.toml cannot be read\n")


def test_modules_come_from_the_environment_only(ready: Checkout, tmp_path: Path) -> None:
    for folder in (tmp_path, ready.top):
        (folder / "SCons").mkdir()
        (folder / "SCons/__init__.py").write_text("raise SystemExit('the wrong SCons')\n")
    result = ready.run(env={"PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)})
    assert str(tmp_path) not in result.scons["path"]
    assert str(ready.top) not in result.scons["path"]


def test_the_engine_is_compiled_once_whatever_the_environment_wants(ready: Checkout) -> None:
    assert ready.run(env={"PYTHONDONTWRITEBYTECODE": "1"}).scons["compiles"]


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_a_closed_stream_leads_nowhere(ready: Checkout, tmp_path: Path, closed: str) -> None:
    script(tmp_path / "closed", f'exec "{ready.top}/scons" "$@" {closed}\n')
    result = ready.run(command=str(tmp_path / "closed"))
    assert (result.scons["streams"], result.err) == ([True, True, True], "")


def test_closed_output_ends_nothing(ready: Checkout, tmp_path: Path) -> None:
    script(tmp_path / "closed", f'exec "{ready.top}/scons" "$@" >&-\n')
    result = ready.run(command=str(tmp_path / "closed"))
    assert (result.status, result.out, result.err) == (0, "", "")


@pytest.mark.parametrize("change", ["lock", "python gone", "other PYTHON"])
def test_environment_is_made_anew_when_it_no_longer_fits(ready: Checkout, change: str) -> None:
    env: dict[str, str] = {}
    if change == "lock":
        (ready.top / "requirements.lock").open("a").write("# newer\n")
    elif change == "python gone":
        (ready.top / ".venv/bin/python").unlink()
    else:
        env["PYTHON"] = str(ready.bin / "python3")
    assert "creating .venv" in ready.run(env=env).err
    assert ready.leftovers() == [".venv"]
    assert ready.run(env=env).err == ""


def installed(checkout: Checkout) -> set[str]:
    """The modules of the lock files that .venv has."""
    (place,) = checkout.top.glob(".venv/lib/python*/site-packages")
    return {name for name in ("SCons", "remote", "test") if (place / name).exists()}


def test_packages_for_tests_and_grpc_are_installed_when_needed_and_then_kept(
    ready: Checkout,
) -> None:
    lock = ready.top / "requirements-remote.lock"
    lock.open("a").write("# newer\n")
    assert ready.run().err == "" and installed(ready) == {"SCons"}
    first = ready.run(env={"QUARDROOT_EXTRAS": "remote"})
    assert "installing 2 Python packages" in first.err and installed(ready) == {"SCons", "remote"}
    assert "adding packages to .venv" in first.err and "creating .venv" not in first.err
    assert ready.run().err == ready.run(env={"QUARDROOT_EXTRAS": "remote"}).err == ""
    assert "installing 3 Python packages" in ready.run("test").err
    assert installed(ready) == {"SCons", "remote", "test"}
    assert ready.run().err == ready.run("bench").err == ""
    lock.open("a").write("# newer again\n")
    again = ready.run().err
    assert "creating .venv" in again and "installing 3 Python packages" in again
    assert ready.leftovers() == [".venv"]


def test_the_checks_of_a_product_need_only_what_they_run_with(
    pinned: Checkout, product: Path
) -> None:
    env = {"QUARDROOT_PRODUCT": str(product)}
    assert json.loads(pinned.run("test", env=env).out)["tools"] == "pinned"
    assert asked(pinned) == [SHORT] and installed(pinned) == {"SCons", "test"}
    assert pinned.run("bench", env=env).status == 0
    assert asked(pinned).pop() == "bison browser debugger"


def test_a_failed_extra_keeps_the_environment(ready: Checkout) -> None:
    lock = ready.top / "requirements-test.lock"
    lock.write_text(re.sub("sha256:.*", "sha256:" + "0" * 64, lock.read_text()))
    assert ready.run("test").reason == "hash-mismatch"
    assert ready.run().err == "" and installed(ready) == {"SCons"}


def test_a_start_that_was_killed_while_it_added_packages_goes_back(ready: Checkout) -> None:
    shutil.copytree(ready.top / ".venv", ready.top / "out/bootstrap.old", symlinks=True)
    (ready.top / ".venv/bootstrap").rename(ready.top / ".venv/bootstrap.partial")
    again = ready.run()
    assert again.status == 0 and "creating .venv" not in again.err
    assert ready.run().err == "" and installed(ready) == {"SCons"}
    assert ready.leftovers() == [".venv"]


def test_failed_renewal_keeps_the_old_environment(ready: Checkout) -> None:
    lock = ready.top / "requirements.lock"
    good = lock.read_text()
    lock.write_text(re.sub("sha256:.*", "sha256:" + "0" * 64, good))
    assert ready.run().reason == "hash-mismatch"
    lock.write_text(good)
    again = ready.run()
    assert again.status == 0 and again.err == ""


def test_unhashed_package_is_refused(fresh: Checkout) -> None:
    (fresh.top / "requirements.lock").write_text("scons==0.1\n")
    assert fresh.run().reason == "python-packages"
    assert fresh.leftovers() == []


def test_killed_start_is_recovered_by_two_at_once(fresh: Checkout) -> None:
    wait = fresh.bin.parent / "wait"
    wait.touch()
    killed = fresh.start()
    assert within(20, (fresh.top / ".venv/bootstrap.partial/requirements.lock").exists)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    first = fresh.start("one")
    assert first.stderr is not None
    said = [first.stderr.readline() for _ in range(3)]
    assert "preparing this machine" in said[0] and "creating .venv" in said[2]
    second = fresh.start("two")
    assert second.stderr is not None
    assert "waiting" in second.stderr.readline()
    wait.unlink()
    first.communicate(timeout=30)
    assert first.returncode == 0
    rest = second.communicate(timeout=30)[1]
    assert second.returncode == 0 and rest == ""
    assert fresh.leftovers() == [".venv"]


@pytest.mark.parametrize("renewal", [False, True])
def test_interrupted_start_leaves_nothing_unfinished(
    fresh: Checkout, made: Path, renewal: bool
) -> None:
    if renewal:
        shutil.copytree(made, fresh.top / ".venv", symlinks=True)
        (fresh.top / "requirements.lock").open("a").write("# newer\n")
    (fresh.bin.parent / "wait").touch()
    process = fresh.start()
    # A signal between two steps is looked at when the next has ended, and this one never does.
    assert within(20, (fresh.bin.parent / "running").exists)
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert fresh.leftovers() == ([".venv"] if renewal else [])
    assert (fresh.top / ".venv/bootstrap").exists() == renewal


def test_foreign_environment_is_left_alone(fresh: Checkout) -> None:
    (fresh.top / ".venv").mkdir()
    (fresh.top / ".venv/mine").touch()
    assert fresh.run().reason == "foreign-venv"
    assert (fresh.top / ".venv/mine").exists()


def test_missing_packages_are_installed_without_a_question(debian: Checkout) -> None:
    result = debian.run()
    assert result.status == 0, result.err
    install, update, again = debian.calls()
    assert install == again and "noninteractive" in install and update.endswith(" update")
    assert install.endswith(" install bison no-proof")
    assert {"--yes", "--no-remove", "--no-install-recommends"} <= set(install.split())
    assert "Need to get 3 MB" in result.err
    assert "creating .venv" not in result.err
    assert debian.run().err == ""
    assert len(debian.calls()) == 3


@pytest.mark.parametrize("verb", ["test", "bench"])
def test_packages_of_the_tests_are_installed_for_the_tests_alone(
    debian: Checkout, verb: str
) -> None:
    with (debian.top / "host-packages.list").open("a") as rows:
        rows.write("# -- test: this and that\nbrowser cat looks\n# -- other\nlast - why\n")
    for arguments, expected in (
        (["images"], "bison no-proof last"),
        (["BOARD=x", verb], "bison no-proof browser last"),
    ):
        assert debian.run(*arguments).status == 0
        count = len(debian.calls())
        assert debian.calls()[-1].endswith(f" install {expected}")
        assert debian.run(*arguments).err == ""
        assert len(debian.calls()) == count
    assert debian.run().err == ""


def test_the_debugger_is_installed_when_it_is_asked_for_and_for_the_tests(
    debian: Checkout,
) -> None:
    with (debian.top / "host-packages.list").open("a") as rows:
        rows.write("# -- debug\ndebugger cat stops\n# -- test\nbrowser cat looks\n")
    for arguments, expected in (
        (["run"], "bison no-proof"),
        (["DEBUG=1"], ""),
        (["run", "DEBUG=0"], ""),
        (["run", "DEBUG="], ""),
        (["run", "DEBUG=1"], "bison no-proof debugger"),
        (["DEBUG=4321", "run"], ""),
        (["run"], ""),
        (["test"], "bison no-proof debugger browser"),
        (["run", "DEBUG=1"], ""),
    ):
        count = len(debian.calls())
        ran = debian.run(*arguments)
        assert ran.status == 0
        if expected:
            assert debian.calls()[-1].endswith(f" install {expected}")
        else:
            assert (len(debian.calls()), ran.err) == (count, "")


SECTIONS = """\
# -- start
coreutils cp copies files
no-proof - always
# -- seal
bubblewrap bwrap seals
# -- build: with the machine's own tools
bison bison parser
# -- debug
debugger cat stops
# -- test
browser cat looks
"""
SHORT = "bubblewrap no-proof"
LONG = f"bison {SHORT}"


@pytest.fixture
def pinned(debian: Checkout) -> Checkout:
    """Such a machine, and a project with pinned tools. An installation brings bwrap, which makes
    sandboxes as long as there is no file `refuse` beside the folder of tools."""
    (debian.top / "host-packages.list").write_text(SECTIONS)
    (debian.top / "configs/tools").mkdir(parents=True)
    (debian.top / "configs/tools/names.toml").touch()
    debian.stub("uname", "echo x86_64\n")
    refuse = debian.bin.parent / "refuse"
    script(
        debian.bin.parent / "bwrap",
        f"[ -e '{refuse}' ] || exit 0\n"
        "echo 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n",
    )
    debian.stub("dpkg-query", "cat ../installed 2>/dev/null\n")
    debian.stub(
        "apt-get",
        f"""cd '{debian.bin}' && echo "${{*##* --force-confold }}" >>../calls
        for word; do
            echo "installed $word" >>'{debian.top}/../installed'
            case $word in bison) cp cp bison ;; bubblewrap) cp ../bwrap bwrap ;; esac
        done\n""",
    )
    (debian.top.parent / "installed").write_text("installed coreutils\n")
    return debian


def asked(checkout: Checkout) -> list[str]:
    """The packages of each call of apt."""
    return [" ".join(sorted(call.partition(" install ")[2].split())) for call in checkout.calls()]


def test_pinned_tools_need_no_package_that_only_builds_call(pinned: Checkout) -> None:
    first = pinned.run("zlib")
    assert first.scons["tools"] == "pinned" and "warning" not in first.err
    assert asked(pinned) == [SHORT]
    again = pinned.run("zlib")
    assert (again.scons["tools"], again.err, asked(pinned)) == ("pinned", "", [SHORT])


def test_where_nothing_can_be_sealed_all_packages_are_needed_and_it_is_said(
    pinned: Checkout,
) -> None:
    (pinned.bin.parent / "refuse").touch()
    first = pinned.run()
    assert first.scons["tools"] == "machine"
    assert asked(pinned) == [SHORT, "bison"]
    assert "use this machine's own tools: bwrap: setting up uid map" in first.err
    again = pinned.run()
    assert (again.scons["tools"], again.err, len(asked(pinned))) == ("machine", "", 2)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("1000", "Permission denied; AppArmor restricts user namespaces: as root, load a profile"),
        ("0", "Permission denied\n"),
    ],
)
def test_an_ordinary_user_learns_how_namespaces_are_allowed(
    pinned: Checkout, user: str, words: str
) -> None:
    (pinned.bin.parent / "refuse").touch()
    pinned.stub("id", f"echo {user}\n")
    pinned.stub("sudo", '[ "$1" = -n ] || exit 1\nshift\n[ "$1" = true ] || exec "$@"\n')
    real = shutil.which("cat")
    pinned.stub(
        "cat",
        f'case $1 in */apparmor_*) echo 1 ;; /proc/*) exit 1 ;; *) exec {real} "$@" ;; esac\n',
    )
    assert f"own tools: bwrap: setting up uid map: {words}" in pinned.run().err


def test_without_bubblewrap_none_is_installed_where_the_engine_can_fetch_one(
    pinned: Checkout,
) -> None:
    pinned.stub("unshare", '[ "$*" = "-U -r true" ]\n')
    ran = pinned.run()
    assert ran.scons["tools"] == "pinned" and "warning" not in ran.err
    assert asked(pinned) == ["no-proof"]
    assert pinned.run().err == ""
    pinned.run(env={"QUARDROOT_TOOLS": "machine"})
    assert asked(pinned) == ["no-proof", "bison bubblewrap"]


def test_without_bubblewrap_one_is_installed_where_namespaces_do_not_work(
    pinned: Checkout,
) -> None:
    pinned.stub("unshare", "exit 1\n")
    assert pinned.run().scons["tools"] == "pinned"
    assert asked(pinned) == [SHORT]


@pytest.mark.parametrize("lack", ["names", "processor"])
def test_a_project_or_processor_without_pinned_tools_needs_all_packages(
    pinned: Checkout, lack: str
) -> None:
    if lack == "names":
        (pinned.top / "configs/tools/names.toml").unlink()
    else:
        pinned.stub("uname", "echo riscv64\n")
    assert pinned.run().scons["tools"] == "machine"
    assert asked(pinned) == [LONG]


@pytest.mark.parametrize(
    ("local", "words", "tools"),
    [
        ("[cache]\nroot = 'pinned'\n[tools] # ours\n root = 'machine' # slow\n", "", "machine"),
        ('tools.root = "machine"', "", "machine"),
        ('[tools]\nroot = "machine"\n', "tools.root=auto", "pinned"),
        ('[tools]\nroot = "machine"\n', "tools.root=pinned", "pinned"),
        ('[tools]\nroot = "auto"\n[other]\nroot = "machine"\n', "", "pinned"),
        ("", "tools.root=pinned tools.root=machine", "machine"),
    ],
)
def test_the_setting_decides_which_packages_are_needed(
    pinned: Checkout, local: str, words: str, tools: str
) -> None:
    (pinned.top / "local.toml").write_text(local)
    assert pinned.run(*words.split()).scons["tools"] == tools
    assert asked(pinned) == [LONG if tools == "machine" else SHORT]


def test_the_settings_of_a_product_decide_in_its_folder(pinned: Checkout, product: Path) -> None:
    (pinned.top / "local.toml").write_text('[tools]\nroot = "pinned"\n')
    (product / "local.toml").write_text('[tools]\nroot = "machine"\n')
    told = json.loads(pinned.run(env={"QUARDROOT_PRODUCT": str(product)}).out)
    assert told["tools"] == "machine"


def test_required_pinned_tools_are_the_engines_matter_where_they_cannot_be_used(
    pinned: Checkout,
) -> None:
    (pinned.bin.parent / "refuse").touch()
    ran = pinned.run("tools.root=pinned")
    assert ran.scons["tools"] == "pinned" and "warning" not in ran.err
    assert asked(pinned) == [SHORT]


def test_an_engine_that_needs_the_machines_tools_has_them_installed(pinned: Checkout) -> None:
    assert pinned.run().scons["tools"] == "pinned"
    again = pinned.run(env={"QUARDROOT_TOOLS": "machine"})
    assert again.scons["tools"] == "machine"
    assert asked(pinned) == [SHORT, "bison"]
    assert pinned.run().err == ""
    pinned.run("run", "DEBUG=1", env={"QUARDROOT_TOOLS": "machine"})
    assert asked(pinned).pop() == "debugger"
    (pinned.bin / "bison").unlink()
    assert pinned.run().scons["tools"] == "pinned", "nothing has asked for bison since"
    assert asked(pinned) == [SHORT, "bison", "debugger"]


@pytest.mark.parametrize("verb", ["test", "bench"])
def test_the_tests_need_all_packages_wherever_builds_do_not(pinned: Checkout, verb: str) -> None:
    assert pinned.run().scons["tools"] == "pinned"
    assert pinned.run("run", "DEBUG=1").err == "", "gdb is one of the pinned tools"
    assert pinned.run(verb, "tools.root=pinned").scons["tools"] == "machine"
    assert asked(pinned) == [SHORT, "bison browser debugger"]
    assert pinned.run("run", "DEBUG=1").err == "" and pinned.run().err == ""


def test_a_new_environment_keeps_what_was_prepared(pinned: Checkout) -> None:
    assert pinned.run().scons["tools"] == "pinned"
    (pinned.top / "requirements.lock").open("a").write("# newer\n")
    ran = pinned.run()
    assert "creating .venv" in ran.err and ran.scons["tools"] == "pinned"
    assert asked(pinned) == [SHORT]


def test_without_apt_only_the_commands_of_a_start_are_required(pinned: Checkout) -> None:
    for name in ("apt-get", "dpkg-query"):
        (pinned.bin / name).unlink()
    result = pinned.run()
    assert result.reason == "no-apt"
    assert "  bwrap: seals (Debian: bubblewrap)\n" in result.err and "bison" not in result.err
    shutil.copy2(pinned.bin.parent / "bwrap", pinned.bin)
    assert "warning" not in (ran := pinned.run()).err and ran.scons["tools"] == "pinned"
    result = pinned.run(env={"QUARDROOT_TOOLS": "machine"})
    assert result.reason == "no-apt" and "docs/pinned-tools.md" in result.err
    assert "  bison: parser (Debian: bison)\n" in result.err


def test_our_own_list_has_few_rows_for_builds_with_pinned_tools() -> None:
    start = (TOP / "host-packages.list").read_text().partition("\n# -- build")[0]
    rows = [line.split()[0] for line in start.splitlines() if line and not line.startswith("#")]
    assert rows == ["util-linux", "python3-venv", "bubblewrap"]


def test_the_debugger_of_the_list_is_what_the_debugging_script_starts() -> None:
    """So that what DEBUG=1 installs is what is used then."""
    rows = (TOP / "host-packages.list").read_text().partition("# -- debug\n")[2]
    package, proof = rows.splitlines()[0].split()[:2]
    assert f"command -v {proof})" in (TOP / "qemu/gdb.sh").read_text()
    assert f"apt-get install {package}" in (TOP / "qemu/gdb.sh").read_text()


def test_removed_browser_does_not_keep_a_build_from_starting(debian: Checkout) -> None:
    with (debian.top / "host-packages.list").open("a") as rows:
        rows.write("# -- test\nbrowser show looks\n")
    debian.stub("show", "")
    assert debian.run("test").status == 0
    (debian.bin / "show").unlink()
    assert debian.run().status == 0
    assert debian.run("test").reason == "host-command-missing"


@pytest.mark.parametrize("installed", ["", "old-emulator"])
@pytest.mark.parametrize(
    ("known", "asked"),
    [("new-emulator old-emulator", "new-emulator"), ("old-emulator", "old-emulator")],
)
def test_of_several_names_the_one_that_the_release_has_is_installed(
    debian: Checkout, installed: str, known: str, asked: str
) -> None:
    (debian.top / "host-packages.list").write_text("new-emulator|old-emulator emulate why\n")
    debian.stub("apt-cache", f'case " {known} " in *" $3 "*) echo "Package: $3" ;; esac\n')
    debian.stub("dpkg-query", f"echo installed {installed}\n")
    debian.stub("apt-get", f"cd '{debian.bin}' && echo \"$*\" >>../calls && cp cp emulate\n")
    result = debian.run()
    if installed == asked:
        assert result.reason == "host-command-missing" and debian.calls() == []
    else:
        assert result.status == 0 and len(debian.calls()) == 1
        assert debian.calls()[0].endswith(f" install {asked}")


def test_names_are_looked_up_again_in_fresh_lists(debian: Checkout) -> None:
    (debian.top / "host-packages.list").write_text("new-emulator|old-emulator emulate why\n")
    debian.stub("apt-cache", '[ "$3" = old-emulator ] && [ -e "$0.fresh" ] && echo Package: $3\n')
    debian.stub("dpkg-query", "exit 1\n")
    debian.stub(
        "apt-get",
        f"""cd '{debian.bin}' && echo "$*" >>../calls
        case "$*" in
            *' update') : >apt-cache.fresh ;;
            *' old-emulator') cp cp emulate ;;
            *) echo 'E: Unable to locate package'; exit 100 ;;
        esac\n""",
    )
    assert debian.run().status == 0
    first, update, again = (call.split()[-1] for call in debian.calls())
    assert (first, update, again) == ("new-emulator", "update", "old-emulator")


def test_removed_command_is_noticed_at_the_next_start(debian: Checkout) -> None:
    assert debian.run().status == 0
    (debian.bin / "bison").unlink()
    assert debian.run().status == 0
    assert len(debian.calls()) == 4
    assert (debian.bin / "bison").exists()


def test_installed_package_without_its_command_is_an_error(debian: Checkout) -> None:
    (debian.top / "host-packages.list").write_text("coreutils no-such-command why\n")
    result = debian.run()
    assert result.reason == "host-command-missing"
    assert "no-such-command" in result.err
    assert debian.calls() == []


@pytest.mark.parametrize("sudo", [False, True])
def test_without_root_the_exact_line_is_printed(debian: Checkout, sudo: bool) -> None:
    debian.stub("id", "echo 1000\n")
    if sudo:
        debian.stub("sudo", "echo 'sudo: a password is required'; exit 1\n")
    result = debian.run()
    assert result.reason == "no-root"
    line = "apt-get install --yes --no-install-recommends bison no-proof\n"
    assert result.err.endswith(("sudo " if sudo else "as root: ") + line)
    assert debian.calls() == []
    assert debian.run().reason == "no-root"


def test_passwordless_sudo_is_used(debian: Checkout) -> None:
    debian.stub("id", "echo 1000\n")
    debian.stub("sudo", '[ "$1" = -n ] || exit 1\nshift\n[ "$1" = true ] || exec "$@"\n')
    assert debian.run().status == 0
    assert len(debian.calls()) == 3


def test_interrupted_dpkg_is_finished_first(debian: Checkout) -> None:
    mark = debian.bin.parent / "configured"
    debian.stub("dpkg", f'[ "$2" = --configure ] && touch "{mark}"\n')
    debian.stub(
        "apt-get",
        f"""[ -e '{mark}' ] && cp '{debian.bin}/cp' '{debian.bin}/bison' && exit
        echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"; exit 100\n""",
    )
    assert debian.run().status == 0
    assert mark.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Err:1 http://host Temporary failure resolving 'host'", "offline"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "disk-full"),
        ("E: Packages need to be removed but remove is disabled.", "host-packages"),
    ],
)
def test_apt_failure_is_named_and_shown(debian: Checkout, words: str, reason: str) -> None:
    debian.stub("apt-get", f'echo "{words}"; exit 100\n')
    result = debian.run()
    assert result.reason == reason
    assert f"  {words}\n" in result.err and "out/bootstrap.log" in result.err
    assert words in (debian.top / "out/bootstrap.log").read_text()


def test_words_of_apt_reach_no_terminal_raw(debian: Checkout) -> None:
    debian.stub("apt-get", "printf 'E: \\033[2Jgone\\007\\r\\n'; exit 100\n")
    result = debian.run()
    assert result.reason == "host-packages"
    assert "  E: ?[2Jgone??\n" in result.err
    assert not set(result.err) & set("\a\r\x1b")


def test_without_apt_missing_commands_are_listed_with_their_use(fresh: Checkout) -> None:
    (fresh.top / "host-packages.list").write_text(LIST + "bison no-bison parses\nlib /no/file x\n")
    result = fresh.run()
    assert result.reason == "no-apt"
    assert "  no-bison: parses (Debian: bison)\n" in result.err and "/no/file" not in result.err


def test_malformed_list_is_refused(fresh: Checkout) -> None:
    (fresh.top / "host-packages.list").write_text("bison bison\n")
    assert fresh.run().reason == "bad-host-packages"


def test_unreachable_index_is_told_as_such(fresh: Checkout) -> None:
    index = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_NO_INDEX": "0"}
    result = fresh.run(env={**index, "PIP_FIND_LINKS": ""})
    assert result.reason == "offline"
    assert fresh.leftovers() == []


@pytest.fixture
def index(lab: tuple[Checkout, Result], tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """An index of packages behind a company's certificate: the authority, and pip's settings."""
    (tmp_path / "company").mkdir()
    authority = company.found(tmp_path / "company")
    folder = tmp_path / "index/simple/scons"
    folder.mkdir(parents=True)
    (wheel,) = (lab[0].bin.parent / "wheels").glob("scons-*")
    shutil.copy2(wheel, folder)
    (folder / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>')
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path / "index")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    httpd.socket = company.server(authority).wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    address = f"https://127.0.0.1:{httpd.server_address[1]}/simple"
    try:
        settings = {"PIP_INDEX_URL": address, "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": ""}
        yield authority, {**settings, "PIP_RETRIES": "0"}
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT"])
def test_an_index_of_a_company_is_trusted_where_a_variable_names_its_authority(
    fresh: Checkout, index: tuple[Path, dict[str, str]], name: str
) -> None:
    authority, settings = index
    named = authority / ("hashed" if name == "SSL_CERT_DIR" else "ca.pem")
    assert fresh.run(env={**settings, name: str(named)}).scons["args"] == []


def test_an_index_that_nobody_vouches_for_is_told_as_such(
    fresh: Checkout, index: tuple[Path, dict[str, str]]
) -> None:
    result = fresh.run(env=index[1])
    assert result.reason == "untrusted-certificate"
    assert "SSL_CERT_FILE=FILE" in result.err
    assert fresh.leftovers() == []


@pytest.mark.parametrize(
    ("prelude", "complaint"),
    [
        ("sys.version_info = (3, 9, 2)", "is version 3.9.2"),
        ("sys.modules['ensurepip'] = None", "has no module ensurepip"),
        ("sys.exit(127)", "does not run"),
    ],
)
def test_unusable_python_is_named_with_its_fault(
    fresh: Checkout, prelude: str, complaint: str
) -> None:
    code = f"import sys; {prelude}; exec(sys.argv[1])"
    fresh.stub("python3", f'exec "{sys.executable}" -c "{code}" "$3"\n')
    result = fresh.run()
    assert result.reason == "no-python"
    assert f"python3 ({fresh.bin}/python3): {complaint}\n" in result.err
    assert "python3.11: not found\n" in result.err
    fresh.stub("python3.12", (fresh.bin / "python3").read_text())
    assert f"python3.12 ({fresh.bin}/python3.12): {complaint}\n" in fresh.run().err


def test_named_python_is_the_only_one_tried(fresh: Checkout) -> None:
    result = fresh.run(env={"PYTHON": "/no/such/python"})
    assert result.reason == "no-python"
    assert "  /no/such/python: not found\nreason:" in result.err


def test_path_that_tools_cannot_take_is_refused(ready: Checkout, tmp_path: Path) -> None:
    ready.top.rename(tmp_path / "a:b")
    assert ready.run(cwd=tmp_path, command=str(tmp_path / "a:b/scons")).reason == "bad-path"


def test_a_path_that_is_too_long_is_refused(ready: Checkout, tmp_path: Path) -> None:
    """In a folder that can still be named: what a build makes would lie deeper."""
    folder = tmp_path.joinpath(*["d" * 200] * 15)
    folder.mkdir(parents=True)
    ready.top.rename(folder / "top")
    result = ready.run(cwd=tmp_path, command=str(folder / "top/scons"))
    assert result.reason == "bad-path"
    assert result.err.startswith("error: the path of the checkout is too long: ")


def in_bwrap(checkout: Checkout, *options: str, command: str) -> Result:
    bwrap = shutil.which("bwrap")
    assert bwrap, "bubblewrap is in host-packages.list"
    base = [bwrap, "--dev-bind", "/", "/", *options]
    probe = subprocess.run([*base, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"bubblewrap cannot make name spaces here: {probe.stderr.strip()}")
    return checkout.run(*base[1:], "/bin/sh", "-c", command, command=bwrap)


def test_read_only_checkout_is_told_as_such(fresh: Checkout) -> None:
    top = str(fresh.top)
    result = in_bwrap(fresh, "--ro-bind", top, top, command="./scons")
    assert result.reason == "not-writable"


def test_an_out_folder_that_is_a_link_is_used_and_one_to_nowhere_is_told(
    fresh: Checkout, tmp_path: Path
) -> None:
    (fresh.top / "out").symlink_to(tmp_path / "elsewhere")
    result = fresh.run()
    assert result.reason == "not-writable"
    assert str(tmp_path / "elsewhere") in result.err and "remove the link" in result.err
    (tmp_path / "elsewhere").mkdir()
    assert fresh.run("x").scons["args"] == ["x"]
    assert (tmp_path / "elsewhere/bootstrap.log").exists()


def test_ready_checkout_works_read_only(ready: Checkout) -> None:
    top = str(ready.top)
    assert in_bwrap(ready, "--ro-bind", top, top, command="./scons x").scons["args"] == ["x"]


@pytest.mark.parametrize(("size", "full_from"), [(1 << 18, "the start"), (1 << 22, "the middle")])
def test_full_disk_is_told_as_such(fresh: Checkout, size: int, full_from: str) -> None:
    small = fresh.bin.parent / "small"
    small.mkdir()
    if full_from == "the middle":
        quick = (
            (fresh.bin / "python3").read_text().replace("cp -a", "cat /dev/zero >.venv/x; cp -a")
        )
        fresh.stub("python3", quick)
    command = f"cp scons requirements*.lock host-packages.list '{small}' && '{small}/scons'"
    result = in_bwrap(fresh, "--size", str(size), "--tmpfs", str(small), command=command)
    assert result.reason == "disk-full"
    assert ("creating .venv" in result.err) == (full_from == "the middle")


def test_our_own_list_has_a_reason_for_every_package() -> None:
    rows = [
        line.split(maxsplit=2)
        for line in (TOP / "host-packages.list").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert all(len(row) == 3 for row in rows)
    names = [name for row in rows for name in row[0].split("|")]
    assert len(names) == len(set(names)) > 20


LOCKS = sorted(path.stem for path in TOP.glob("requirements*.lock"))


def packages(name: str) -> dict[str, str]:
    """The packages of one of our own lock files with version and hashes."""
    lock = (TOP / f"{name}.lock").read_text()
    assert "://" not in lock and "/" not in lock
    blocks = re.split(r"\n(?=[a-z])", re.sub(r"\n +#.*", "", lock).strip())
    form = r"[a-z0-9-]+==\S+( ; [^\\\n]+)? \\\n    --hash=sha256:[0-9a-f]{64}"
    assert all(re.match(form, block) for block in blocks)
    return dict(block.split("==", 1) for block in blocks)


@pytest.mark.parametrize("name", LOCKS)
def test_our_own_lock_is_hashed_complete_and_names_no_address(name: str) -> None:
    wanted = (TOP / f"{name}.in").read_text()
    assert set(re.findall(r"^([a-z][a-z0-9-]*)", wanted, re.MULTILINE)) <= set(packages(name))


def test_our_own_locks_agree_about_what_several_of_them_have() -> None:
    assert "requirements-test" in LOCKS
    seen: dict[str, str] = {}
    for name in LOCKS:
        for package, what in packages(name).items():
            assert seen.setdefault(package, what) == what, f"{name}: {package}"


@pytest.mark.parametrize(
    "name", ["scons", ".ci/run", "qemu/gdb.sh", "tests/platforms/run", "tests/platforms/enter"]
)
def test_a_script_that_is_started_by_its_path_may_be_executed(name: str) -> None:
    assert os.access(TOP / name, os.X_OK)


def test_continuous_integration_runs_the_test_command(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy2(TOP / ".ci/run", tmp_path / ".ci")
    script(tmp_path / "scons", 'echo "$PWD $*"\n')
    run = subprocess.run(
        [tmp_path / ".ci/run"], cwd="/", capture_output=True, text=True, check=True
    )
    assert run.stdout == f"{tmp_path} test\n"
