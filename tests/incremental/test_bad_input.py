"""Bad input, end to end: one clear block, status 2, no traceback, nothing half-made left behind."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from incremental.conftest import GREET_C, GREET_H, HELLO_C
from incremental.project import Project, Ran


def refused(ran: Ran, reason: str, *texts: str) -> None:
    """Assert that a run ended with one block for `reason` that holds `texts`."""
    assert ran.status == 2, ran.text
    assert sum(line.startswith("error: ") for line in ran.err.splitlines()) == 1, ran.text
    assert f"reason: {reason}\n" in ran.err, ran.text
    assert "Traceback" not in ran.text and '  File "' not in ran.text, ran.text
    for text in texts:
        assert text in ran.err, ran.text


def left_nothing(project: Project, name: str) -> None:
    """Assert that a failed package left no result and no unfinished file."""
    out = project.folder / "out"
    assert not (out / f"tiny/units/{name}.json").exists()
    assert not list(out.rglob("*.part"))
    assert not (out / "tiny/images/rootfs.tar").exists()


def test_a_typo_in_the_board_suggests_the_right_name(project: Project) -> None:
    ran = project.run("BOARD=tinny", board="")
    refused(ran, "unknown-board", "did you mean 'tiny'?")


def test_a_typo_in_a_package_on_the_board_suggests_the_right_name(project: Project) -> None:
    project.board(["libd"])
    refused(project.run(), "unknown-package", "did you mean 'libc'?")


def test_a_typo_in_a_target_suggests_the_right_name(project: Project) -> None:
    refused(project.run("lbic"), "unknown-target-name", "did you mean 'libc'?")


def test_a_typo_in_a_feature_suggests_the_right_name(greeting: Project) -> None:
    feature = 'features=(Feature("colour", "c", on=("A=1",), off=("A=0",)),), needs=("greet",),'
    greeting.program("hello", HELLO_C, "-lgreet", more=feature)
    greeting.edit("packages/hello/recipe.py", "import Install", "import Feature, Install")
    greeting.board(["hello", "libc"], more="[features]\nhello.color = true")
    refused(greeting.run(), "unknown-feature", "did you mean 'colour'?")


def test_a_typo_in_a_variable_suggests_the_right_name(project: Project) -> None:
    refused(project.run("BORD=tiny"), "unknown-variable", "did you mean 'BOARD'?")


def test_a_typo_in_a_setting_suggests_the_right_name(project: Project) -> None:
    refused(project.run("sources.mirors=http://x"), "bad-setting", "did you mean 'mirrors'?")


def test_a_recipe_without_a_field_is_named_with_the_field(greeting: Project) -> None:
    greeting.edit("packages/hello/recipe.py", 'summary="a program",', "")
    refused(greeting.run(), "missing-field", "packages/hello/recipe.py", "summary")


def test_a_recipe_with_a_malformed_field_is_named_with_the_line(greeting: Project) -> None:
    greeting.edit("packages/hello/recipe.py", 'needs=("greet",)', 'needs="greet"')
    refused(greeting.run(), "malformed-field", "needs must be list[str]", "write a list")


def test_a_recipe_that_is_more_than_data_is_refused_and_not_run(greeting: Project) -> None:
    path = greeting.recipe("hello")
    path.write_text("import os\nos.mkdir('ran')\n" + path.read_text())
    refused(greeting.run(), "recipe-syntax", "line 1")
    assert not (greeting.folder / "ran").exists()


def test_packages_that_need_each_other_are_shown_as_a_circle(greeting: Project) -> None:
    greeting.library("greet", GREET_C, GREET_H, more='needs=("hello",),')
    refused(greeting.run(), "dependency-cycle", "hello -> greet -> hello")


def test_a_wrong_hash_stops_the_build_and_the_bytes_are_not_kept(greeting: Project) -> None:
    path = greeting.recipe("hello")
    text = path.read_text()
    good = text.split('sha256="')[1][:64]
    path.write_text(text.replace(good, "0" * 64))
    refused(greeting.run(), "hash-mismatch", good, "0" * 64)
    left_nothing(greeting, "hello")
    assert not list(greeting.cache.rglob("hello-1.tar.xz*"))


def hostile(project: Project, name: str, member: tarfile.TarInfo, data: bytes = b"") -> None:
    """Make `name`'s archive one that holds `member`."""
    path = project.sources / f"{name}-1.tar.xz"
    with tarfile.open(path, "w:xz") as tar:
        plain = tarfile.TarInfo(f"{name}-1/COPYING")
        tar.addfile(plain, io.BytesIO())
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    rehash(project, name, path)


def rehash(project: Project, name: str, path: Path) -> None:
    """Put the hash of an archive into the recipe."""
    import hashlib  # noqa: PLC0415

    recipe = project.recipe(name)
    old = recipe.read_text().split('sha256="')[1][:64]
    recipe.write_text(
        recipe.read_text().replace(old, hashlib.sha256(path.read_bytes()).hexdigest())
    )


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/quardroot-escaped"])
def test_an_archive_that_writes_outside_is_refused(greeting: Project, name: str) -> None:
    hostile(greeting, "alone", tarfile.TarInfo(name), b"x")
    refused(greeting.run("alone"), "unsafe-archive", name)
    left_nothing(greeting, "alone")
    assert not Path("/tmp/quardroot-escaped").exists()
    assert not list(greeting.folder.parent.rglob("escaped"))


def test_an_archive_with_a_link_out_of_the_tree_is_refused(greeting: Project) -> None:
    link = tarfile.TarInfo("alone-1/link")
    link.type, link.linkname = tarfile.SYMTYPE, "../../../etc/passwd"
    hostile(greeting, "alone", link)
    refused(greeting.run("alone"), "unsafe-archive", "link")
    left_nothing(greeting, "alone")


def test_a_truncated_archive_is_refused(greeting: Project) -> None:
    path = greeting.sources / "alone-1.tar.xz"
    path.write_bytes(path.read_bytes()[:-40])
    rehash(greeting, "alone", path)
    refused(greeting.run("alone"), "truncated-archive")
    left_nothing(greeting, "alone")


def test_without_a_network_one_block_stands_for_all_sources(greeting: Project) -> None:
    for name in ("alone", "greet"):
        nowhere = f"http://{name}.invalid/{name}-1.tar.xz"
        address = (greeting.sources / f"{name}-1.tar.xz").as_uri()
        greeting.edit(f"packages/{name}/recipe.py", address, nowhere)
    ran = greeting.run("-j2")
    assert (ran.status, ran.err.count("reason: no-source")) == (2, 1), ran.text
    assert ": no host was reached" in ran.err
    assert sorted(ran.summary["failed"]) == ["alone", "greet"]


def test_a_source_that_no_address_has_lists_what_was_tried(greeting: Project) -> None:
    (greeting.sources / "alone-1.tar.xz").unlink()
    refused(greeting.run("alone"), "no-source", "alone-1.tar.xz")
    left_nothing(greeting, "alone")


def test_a_patch_that_does_not_apply_is_named(greeting: Project) -> None:
    patch = greeting.folder / "packages/alone/0001-nothing.patch"
    patch.write_text("--- a/alone.c\n+++ b/alone.c\n@@ -1 +1 @@\n-not there\n+there\n")
    refused(greeting.run("alone"), "patch-failed", "0001-nothing.patch")
    left_nothing(greeting, "alone")


def test_a_missing_compiler_is_named_with_the_package_to_install(greeting: Project) -> None:
    greeting.edit(
        "configs/tiny.toml", "[image]", '[toolchain]\nprefix = "riscv64-none-elf-"\n[image]'
    )
    refused(greeting.run(), "compiler-missing", "riscv64-none-elf-")


def test_a_compile_error_shows_the_log_the_command_and_the_logs_path(greeting: Project) -> None:
    greeting.program("alone", "int main(void) { return undeclared; }\n")
    ran = greeting.run("alone")
    refused(ran, "build-failed", "undeclared", "command: make", "out/tiny/logs/alone.log")
    left_nothing(greeting, "alone")
    assert "undeclared" in (greeting.folder / "out/tiny/logs/alone.log").read_text()
    greeting.program("alone", "int main(void) { return 0; }\n")
    assert greeting.run("alone").status == 0


def test_an_undeclared_tool_is_named_with_the_field_for_it(greeting: Project) -> None:
    more = 'prepare=(Run("tic", "-V"),),'
    greeting.program("alone", "int main(void) { return 0; }\n", more=more)
    greeting.edit("packages/alone/recipe.py", "import Install", "import Install, Run")
    refused(greeting.run("alone"), "undeclared-tool", 'tools=("tic",)')
    assert (greeting.folder / "out/tiny/work/alone/src").is_dir()
    greeting.edit("packages/alone/recipe.py", more, more + 'tools=("tic", "bc"),')
    assert greeting.run("alone").status == 0


def test_a_tool_that_make_does_not_find_is_named_beside_the_failure(greeting: Project) -> None:
    greeting.program("alone", "int main(void) { return 0; }\n", "&& tic -V")
    refused(greeting.run("alone"), "build-failed", "of this build: tic", 'tools=("tic",)')


def test_a_source_without_a_configure_script_says_what_to_run(greeting: Project) -> None:
    greeting.program("alone", "int main(void) { return 0; }\n")
    recipe = greeting.recipe("alone")
    text = recipe.read_text().replace('variables=("CC={cross}gcc",),', "")
    recipe.write_text(text.replace("Make", "Autotools"))
    refused(greeting.run("alone"), "missing-command", "has no ./configure", "use Make")
    assert (greeting.folder / "out/tiny/work/alone/src/Makefile").is_file()


def test_what_the_hint_says_makes_a_configure_script(greeting: Project) -> None:
    """A source as a checkout has it: configure.ac, and no script made from it."""
    configure = "AC_INIT([alone],[1])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n"
    makefile = (
        "all: alone\nalone: alone.c\n\t@CC@ -o $@ $<\ninstall:\n"
        "\tmkdir -p $(DESTDIR)/usr/bin && cp alone $(DESTDIR)/usr/bin/\n"
    )
    files = {
        "alone.c": "int main(void) { return 0; }\n",
        "configure.ac": configure,
        "Makefile.in": makefile,
        "install-sh": "#!/bin/sh\n",
    }
    url, sha256 = greeting.archive("alone", "1", files)
    text = (
        "from quard.model import Autotools, Run, Source\nRECIPE = Autotools(summary='x',"
        f" version='1', sources=[Source('{url}', sha256='{sha256}', provenance='us')],"
        " license='MIT', license_files=['COPYING'],\n)\n"
    )
    greeting.recipe("alone").write_text(text)
    ran = greeting.run("alone")
    refused(ran, "missing-command", "the source has configure.ac")
    field = ran.err.partition("hint: ")[2].partition(": set ")[2].partition(",")[0]
    greeting.recipe("alone").write_text(text.replace("\n)", f" {field})"))
    ran = greeting.run("alone")
    assert ran.status == 0, ran.text


def test_an_undeclared_dependency_fails_although_it_was_built_before(greeting: Project) -> None:
    greeting.run()
    greeting.program("hello", HELLO_C, "-lgreet", version="2")
    refused(greeting.run(), "build-failed", "greet.h")


def test_two_packages_with_one_path_are_both_named(greeting: Project) -> None:
    greeting.program("other", "int main(void) { return 0; }\n")
    greeting.edit("packages/other/recipe.py", '"usr/bin/other"', '"usr/bin/alone"')
    greeting.board(["alone", "libc", "other"])
    refused(greeting.run(), "file-collision", "/usr/bin/alone", "alone", "other")
    assert not (greeting.folder / "out/tiny/images/rootfs.tar").exists()


def test_dependencies_that_meet_in_a_sysroot_are_named_with_every_path(greeting: Project) -> None:
    for name in ("one", "two"):
        install = ", ".join(f'Install("{name}.h", "usr/include/{p}.h")' for p in "xyz")
        greeting.library(name, "", f"int {name};\n")
        recipe = greeting.recipe(name)
        own = f'Install("{name}.h", "usr/include/{name}.h"),'
        recipe.write_text(recipe.read_text().replace(own, f"{own} {install},"))
    greeting.program("alone", "int main(void) { return 0; }\n", more='needs=("one", "two"),')
    texts = [f"usr/include/{p}.h: one and two: files of 9 and 9 bytes" for p in "xyz"]
    refused(greeting.run("alone"), "file-collision", "alone 1: dependencies", *texts)


def test_a_program_for_another_machine_is_named(greeting: Project) -> None:
    greeting.edit("packages/alone/recipe.py", "CC={cross}gcc", 'CC=gcc", "CFLAGS=-O2')
    refused(greeting.run("alone"), "wrong-architecture", "alone 1: ", "usr/bin/alone: found EM_X86")
    left_nothing(greeting, "alone")


def test_everything_that_is_wrong_with_a_package_is_told_at_once(greeting: Project) -> None:
    code = 'const char *where = "/quard/src/x"; int main(void) { return !where; }\n'
    greeting.program("alone", code, "-Wl,-rpath,here", more='drop=("usr/none", "usr/nil"),')
    recipe = greeting.recipe("alone")
    step = 'Run("sh", "-c", "gcc -o {stage}/usr/bin/host alone.c && mkdir {stage}/bin'
    step += ' && touch {stage}/bin/alone"), Install("alone.c", "boot/alone.c"),)'
    text = recipe.read_text().replace('mode="0755"),)', f'mode="0755"), {step}')
    recipe.write_text(text.replace("import Install", "import Install, Run"))
    texts = ["usr/none", "usr/nil", "bin/alone and usr/bin/alone", "'here'", "usr/bin/host: found"]
    texts += ["usr/bin/alone: /quard/src/x", "5 errors in what alone 1 installs"]
    refused(greeting.run("alone"), "file-collision", *texts)


def test_a_file_that_the_recipe_expects_and_the_build_leaves_out_is_named(
    greeting: Project,
) -> None:
    more = 'expects=["usr/sbin/alone", "usr/bin/alone"],'
    greeting.program("alone", "int main(void) { return 0; }\n", more=more)
    texts = ("alone 1: ", "usr/sbin/alone; installed: usr/bin/alone")
    refused(greeting.run("alone"), "expected-missing", *texts)
    left_nothing(greeting, "alone")
    greeting.edit("packages/alone/recipe.py", '"usr/sbin/alone", ', "")
    assert greeting.run("alone").status == 0


def test_a_number_that_is_no_cve_is_refused(greeting: Project) -> None:
    greeting.program("alone", "int main(void) { return 0; }\n", more='fixes=["2026-1"],')
    refused(greeting.run("alone"), "bad-cve", "'2026-1' is not a CVE number")


def test_a_library_that_nobody_installs_is_named(greeting: Project) -> None:
    greeting.board(["alone"])
    refused(greeting.run(), "missing-library", "/usr/bin/alone", "ld-linux-riscv64")


def test_a_full_disk_is_named_and_the_next_run_goes_on(greeting: Project) -> None:
    if shutil.which("bwrap") is None or os.getuid() != 0:
        pytest.skip("needs root for a small file system of its own")
    small = greeting.folder.parent / "small"
    small.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    try:
        greeting.cache = small
        refused(greeting.run(), "disk-full")
        assert not list(small.rglob("*.part"))
    finally:
        subprocess.run(("umount", str(small)), check=True)
    assert greeting.run().status == 0


def test_a_disk_that_is_full_at_the_end_costs_only_the_memory_of_the_run(
    greeting: Project,
) -> None:
    (greeting.folder / "out").mkdir()
    (greeting.folder / "out/sconsign.tmp").symlink_to("/dev/full")
    ran = greeting.run()
    assert ran.status == 0
    assert "warning: sconsign.dblite cannot be written: No space left on device" in ran.out
    assert ran.err == ""
    image = greeting.image()
    again = greeting.run()
    assert (again.status, again.err, again.built) == (0, "", [])
    assert greeting.image() == image
    assert "everything is up to date" in greeting.run().out


def test_a_failure_that_was_ignored_does_not_count_as_made(greeting: Project) -> None:
    sources = greeting.sources
    sources.rename(sources.with_name("away"))
    ran = greeting.run("-i", "greet")
    assert (ran.status, "reason: no-source" in ran.err) == (0, True)
    sources.with_name("away").rename(sources)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert "greet" in ran.built


def test_an_unknown_option_is_refused_before_anything_is_done(greeting: Project) -> None:
    greeting.run()
    before = (greeting.folder / "out/tiny/summary.json").read_bytes()
    refused(greeting.run("--no-exce"), "unknown-option", "did you mean '--no-exec'?")
    refused(greeting.run("-Z"), "unknown-option")
    assert (greeting.folder / "out/tiny/summary.json").read_bytes() == before


@pytest.mark.parametrize(
    "jobs", [["-j0"], ["-j-1"], ["-j", "x"], ["--jobs=1.5"], ["-j"], ["-kjx"], ["-kj", "x"]]
)
def test_what_is_not_a_number_of_jobs_is_refused(project: Project, jobs: list[str]) -> None:
    refused(project.run(*jobs), "bad-jobs")


@pytest.mark.parametrize("flags", ["-j x", "-kjx", "--jobs=x", "-k -j"])
def test_a_number_of_jobs_in_the_environment_is_refused_likewise(
    project: Project, flags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCONSFLAGS", flags)
    refused(project.run(), "bad-jobs")


def test_what_nobody_foresaw_is_one_block_with_its_trace_in_a_file(greeting: Project) -> None:
    (greeting.folder / "out/tiny/images/run.sh").mkdir(parents=True)
    (greeting.folder / "out/tiny/images/run.sh/x").touch()
    refused(greeting.run("-n"), "internal-error", "logs/Make.traceback")
    assert (greeting.folder / "out/tiny/logs/Make.traceback").is_file()


def test_a_broken_template_of_the_run_script_is_named(greeting: Project) -> None:
    template = greeting.folder / "qemu/run/start.sh"
    text = template.read_text()
    template.unlink()
    template.write_text(text + "echo @kernal@\n")
    refused(greeting.run(), "bad-template", "did you mean 'kernel'?")
    template.write_bytes(b"\xff")
    refused(greeting.run(), "bad-template", "it is not UTF-8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('version="1"', 'version="../1"', "bad-version"),
        ('"usr/bin/alone"', '"../../x"', "bad-path"),
        ('"usr/bin/alone"', '"/usr/bin/alone"', "bad-path"),
        ('make=("alone",)', 'make=("al\\0one",)', "malformed-field"),
        ('summary="a program"', 'summary="\\ud800"', "malformed-field"),
        ('summary="a program"', "summary=" + "+".join(['"a"'] * 20000), "recipe-syntax"),
        ('license="MIT",', 'license="MIT", env=(("A=B", "x"),),', "bad-variable"),
        (
            'license="MIT",',
            'license="MIT", users=(User("A/../b", uid=5, home="/", gecos=""),),',
            "bad-user",
        ),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused(
    greeting: Project, old: str, new: str, reason: str
) -> None:
    greeting.edit("packages/alone/recipe.py", old, new)
    refused(greeting.run(), reason)


def test_a_pipe_in_a_files_place_is_not_waited_for(greeting: Project) -> None:
    os.mkfifo(greeting.folder / "local.toml")
    refused(greeting.run(), "bad-setting", "it is a pipe, not a file")
    (greeting.folder / "local.toml").unlink()
    for path in ("packages/alone/a.patch", "packages/alone/recipe.py"):
        (greeting.folder / path).unlink(missing_ok=True)
        os.mkfifo(greeting.folder / path)
        refused(greeting.run("list"), "bad-package-file", f"{path} cannot be read", "a pipe")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("local.toml", "bad-setting"),
        ("configs/tiny.toml", "bad-board"),
        ("configs/system/base.toml", "bad-system-table"),
        ("qemu/virt.toml", "bad-machine"),
        ("qemu/run/start.sh", "bad-template"),
        ("packages/alone/recipe.py", "bad-package-file"),
        ("packages/alone/a.patch", "bad-package-file"),
    ],
)
def test_a_device_and_a_file_without_end_are_not_read(
    greeting: Project, path: str, reason: str
) -> None:
    place = greeting.folder / path
    place.unlink(missing_ok=True)
    place.symlink_to("/dev/zero")
    if path.startswith("packages/"):  # whose links must not lead out of their folder
        refused(greeting.run("why"), "recipe-link", "it points to /dev/zero")
    else:
        refused(greeting.run("why"), reason, "it is a device, not a file")
    place.unlink()
    with place.open("wb") as file:
        file.truncate(80 << 20)
    refused(greeting.run("why"), reason, "it is larger than")


@pytest.mark.parametrize("text", [f"x = {'9' * 6000}", "x = " + "[" * 4000, "[["])
def test_settings_that_toml_cannot_hold_are_refused_with_a_hint(
    project: Project, text: str
) -> None:
    (project.folder / "local.toml").write_text(text)
    refused(project.run(), "bad-setting", "hint: correct the line")


def test_a_package_of_the_toolchain_has_no_source_to_replace(project: Project) -> None:
    refused(project.run(f"override.libc={project.sources}"), "bad-setting", "cross toolchain")


def test_settings_that_are_a_link_to_nowhere_are_not_passed_over(project: Project) -> None:
    (project.folder / "local.toml").symlink_to("nowhere.toml")
    refused(project.run(), "bad-setting", "cannot be read")


def test_an_answer_that_a_full_disk_swallows_is_an_error(project: Project) -> None:
    for to, status in (("/dev/full", 2), ("/dev/null", 0)):
        with open(to, "w") as out:
            done = subprocess.run(
                project.command("list"),
                cwd=project.folder,
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == status
        assert ("reason: disk-full" in done.stderr) == bool(status)


def test_a_feature_that_cannot_be_had_is_off_with_one_block_and_on_when_it_appears(
    greeting: Project,
) -> None:
    feature = (
        'features=(Feature("greeting", "greets", on=("WITH=1",), off=("WITH=0",),'
        ' needs=("greet",)),),'
    )
    greeting.program("hello", "int main(void) { return 0; }\n", more=feature)
    greeting.edit("packages/hello/recipe.py", "import Install", "import Feature, Install")
    greeting.board(["hello", "libc"], more='[features]\nhello.greeting = "if-available"')
    source = greeting.sources / "greet-1.tar.xz"
    hidden = source.rename(source.with_suffix(".hidden"))
    strict = greeting.run("STRICT=1")
    refused(strict, "feature-unavailable", "greet")
    without = greeting.run()
    assert without.status == 0, without.text
    assert without.built == ["hello", "libc"]
    assert without.out.count("note: hello is built without greeting") == 1
    assert "note: hello is without greeting" in without.out.splitlines()[-2]
    assert (greeting.folder / "out/tiny/availability.json").exists()
    again = greeting.run()
    assert again.built == [] and "note: hello is without greeting" in again.out
    hidden.rename(source)
    same = greeting.run()
    assert same.built == []
    assert "out/tiny/availability.json" in same.out
    assert f"put the file into {greeting.cache / 'sources'}\n" in without.out
    shutil.copy(source, greeting.cache / "sources" / source.name)
    appeared = greeting.run()
    assert appeared.built == ["greet", "hello"], appeared.text
    assert "feature greeting: off -> on" in appeared.summary["built"][1]["why"]
