"""Each build style's steps, as argument vectors."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from plan_parts import COMMON, FAST, RISCV, SMALL, context, plan

from quard.model import (
    Autotools,
    CMake,
    Configure,
    Custom,
    Feature,
    Kconfig,
    KernelModule,
    Make,
    Meson,
    Python,
    Recipe,
    Run,
    Symlink,
    ToolchainRuntime,
)
from quard.plan import (
    autotools,
    cmake,
    configure,
    custom,
    kconfig,
    kernelmodule,
    make,
    meson,
    python,
    runtime,
)
from quard.plan.context import BUILD_TRIPLE
from quard.plan.plan import BUILD, KconfigStep, LinkStep, RunStep, ToolchainStep, WriteStep
from quard.plan.style import Style
from quard.plan.styles import style

CHOICES = {"fast": True, "small": False}
CHOSEN = ("--fast=1.2", "--really", "--large=riscv64-linux-gnu")
FEATURES = (FAST, SMALL)


def test_autotools_configures_for_the_target_with_features_last() -> None:
    recipe = Autotools(**COMMON, features=FEATURES, configure=("--with-{name}",))
    configure, build, install = autotools.steps(recipe, context(recipe, CHOICES))
    assert isinstance(configure, RunStep)
    assert configure.phase == "configure"
    assert configure.argv[0] == "./configure"
    assert configure.argv[-4:] == ("--with-thing", *CHOSEN)
    assert f"--build={BUILD_TRIPLE}" in configure.argv
    assert "--host=riscv64-linux-gnu" in configure.argv
    assert {"--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var"} <= {*configure.argv}
    assert {"--disable-static", "--enable-shared", "--disable-nls"} <= {*configure.argv}
    assert "--disable-dependency-tracking" in configure.argv
    assert build == RunStep("build", ("make",))
    assert install == RunStep("install", ("make", "DESTDIR={stage}", "install"), serial=True)


def test_autotools_passes_its_own_targets_and_may_leave_installing_to_finish() -> None:
    recipe = Autotools(**COMMON, make=("V={version}", "all"), install=("install-x",))
    _, build, install = autotools.steps(recipe, context(recipe))
    assert build == RunStep("build", ("make", "V=1.2", "all"))
    assert install == RunStep("install", ("make", "DESTDIR={stage}", "install-x"), serial=True)
    without = Autotools(**COMMON, install=())
    assert [s.phase for s in autotools.steps(without, context(without))] == ["configure", "build"]


@pytest.mark.parametrize("kind", Recipe.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_kind_of_recipe_has_a_style_of_its_own(kind: type[Recipe]) -> None:
    fields = {**COMMON, "sources": ()} if kind is ToolchainRuntime else COMMON
    found = style(kind(**fields))
    assert isinstance(found, Style)
    others = (style(k(**COMMON)) for k in Recipe.__subclasses__() if k is not kind)
    assert all(found is not other for other in others)


def test_autoreconf_generates_the_script_by_declared_tools() -> None:
    recipe = Autotools(**COMMON, autoreconf=True)
    step, *others = autotools.steps(recipe, context(recipe))
    assert step == RunStep("prepare", ("autoreconf", "--force", "--install"))
    without = Autotools(**COMMON)
    assert tuple(others) == autotools.steps(without, context(without))
    assert autotools.STYLE.tools(recipe, context(recipe)) == autotools.GENERATORS
    assert autotools.STYLE.tools(without, context(without)) == ()
    assert "autoreconf" in autotools.GENERATORS
    assert sorted(autotools.GENERATORS) == list(autotools.GENERATORS)


def test_a_checkout_gets_its_script_in_the_same_way_once() -> None:
    for recipe in (Autotools(**COMMON), Autotools(**COMMON, autoreconf=True)):
        checkout = replace(context(recipe), generate=True)
        found = [step.phase for step in autotools.steps(recipe, checkout)]
        assert found == ["prepare", "configure", "build", "install"]
        assert autotools.STYLE.tools(recipe, checkout) == autotools.GENERATORS


def test_autotools_without_common_arguments_passes_the_recipes_alone() -> None:
    recipe = Autotools(**COMMON, features=FEATURES, common=False, configure=("--prefix={prefix}",))
    step = autotools.steps(recipe, context(recipe, CHOICES))[0]
    assert step == RunStep("configure", ("./configure", "--prefix=/usr", *CHOSEN))


def test_configure_names_the_folder_and_the_cross_tools_alone() -> None:
    recipe = Configure(
        **COMMON, features=FEATURES, configure=("--{name}",), make=("all",), install=("install-x",)
    )
    assert configure.steps(recipe, context(recipe, CHOICES)) == (
        RunStep("configure", ("./configure", "--prefix=/usr", "--thing", *CHOSEN)),
        RunStep("build", ("make", "all")),
        RunStep("install", ("make", "DESTDIR={stage}", "install-x"), serial=True),
    )
    assert dict(plan(recipe, CHOICES).env) == {
        "AR": "riscv64-linux-gnu-ar",
        "CC": "riscv64-linux-gnu-gcc",
        "CXX": "riscv64-linux-gnu-g++",
        "RANLIB": "riscv64-linux-gnu-ranlib",
    }


def test_a_recipes_variable_replaces_the_styles() -> None:
    recipe = Configure(**COMMON, env=(("CC", "own-{name}"), ("V", "1")))
    env = dict(plan(recipe).env)
    assert (env["CC"], env["V"], env["AR"]) == ("own-thing", "1", "riscv64-linux-gnu-ar")


def test_cmake_builds_in_a_folder_of_its_own_by_a_toolchain_file() -> None:
    recipe = CMake(
        **COMMON, features=FEATURES, folder="{name}", configure=("-DN={name}",), targets=("lib",)
    )
    write, setup, build, install = cmake.steps(recipe, context(recipe, CHOICES))
    assert isinstance(write, WriteStep)
    assert write.path == cmake.TOOLCHAIN
    lines = write.text.splitlines()
    assert lines[:2] == ["set(CMAKE_SYSTEM_NAME Linux)", "set(CMAKE_SYSTEM_PROCESSOR riscv64)"]
    assert "set(CMAKE_C_COMPILER riscv64-linux-gnu-gcc)" in lines
    assert 'set(CMAKE_FIND_ROOT_PATH "{sysroot}" /usr/riscv64-linux-gnu)' in lines
    assert "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)" in lines
    assert 'set(CMAKE_INSTALL_SYSCONFDIR /etc CACHE STRING "")' in lines
    assert isinstance(setup, RunStep)
    assert setup.argv[:7] == ("cmake", "-G", "Ninja", "-S", "thing", "-B", BUILD)
    assert f"-DCMAKE_TOOLCHAIN_FILE={{src}}/{cmake.TOOLCHAIN}" in setup.argv
    assert setup.argv[-4:] == ("-DN=thing", *CHOSEN)
    assert build == RunStep("build", ("ninja", "-C", BUILD, "lib"))
    argv = ("env", "DESTDIR={stage}", "cmake", "--install", BUILD)
    assert install == RunStep("install", argv, serial=True)
    assert plan(recipe, CHOICES).tools == ("cmake", "ninja")


def test_cmake_installs_each_component_that_the_recipe_names() -> None:
    recipe = CMake(**COMMON, components=("lib", "dev"))
    found = [step for step in cmake.steps(recipe, context(recipe)) if step.phase == "install"]
    assert [str(step).count("--component") for step in found] == [1, 1]


def test_meson_builds_in_a_folder_of_its_own_by_a_cross_file() -> None:
    recipe = Meson(
        **COMMON,
        features=FEATURES,
        folder="{name}",
        configure=("-Dn={name}",),
        properties=("works = true",),
        tags=("a", "b"),
    )
    write, setup, build, install = meson.steps(recipe, context(recipe, CHOICES))
    assert isinstance(write, WriteStep)
    assert write.path == meson.MACHINE
    lines = write.text.splitlines()
    assert "c = 'riscv64-linux-gnu-gcc'" in lines
    assert {"cpu_family = 'riscv64'", "cpu = 'riscv64'", "endian = 'little'"} <= {*lines}
    assert lines[-3:] == ["[properties]", "needs_exe_wrapper = true", "works = true"]
    assert isinstance(setup, RunStep)
    assert setup.argv[:4] == ("meson", "setup", "--cross-file", meson.MACHINE)
    assert {"--prefix=/usr", "--sysconfdir=/etc", "--auto-features=disabled"} <= {*setup.argv}
    assert setup.argv[-6:] == ("-Dn=thing", *CHOSEN, BUILD, "thing")
    assert build == RunStep("build", ("ninja", "-C", BUILD))
    argv = ("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", "{stage}")
    assert install == RunStep("install", (*argv, "--tags", "a,b"), serial=True)
    assert plan(recipe, CHOICES).tools == ("meson", "ninja", "python3")


@pytest.mark.parametrize(
    ("triple", "family"), [("i686", "x86"), ("powerpc64le", "ppc64"), ("aarch64", "aarch64")]
)
def test_meson_has_its_own_names_of_processors(triple: str, family: str) -> None:
    recipe = Meson(**COMMON)
    elf = replace(RISCV.elf, order="big")
    machine = replace(RISCV, triple=f"{triple}-linux-gnu", elf=elf)
    write = meson.steps(recipe, replace(context(recipe), target=machine))[0]
    assert isinstance(write, WriteStep)
    assert f"cpu_family = '{family}'\ncpu = '{triple}'\nendian = 'big'\n" in write.text


def test_python_makes_a_wheel_for_the_target_and_installs_it() -> None:
    feature = Feature("fast", "speed", on=("--build-option=--fast",), off=("x=1",))
    recipe = Python(**COMMON, features=(feature,), folder="{name}", configure=("v={version}",))
    build, install = python.steps(recipe, context(recipe, {"fast": True}))
    script, folders = f"{python.TOOLS}/build.py", ("--project", "thing", "--sysroot", "{sysroot}")
    words = ("--setting=v=1.2", "--setting=--build-option=--fast", BUILD)
    assert build == RunStep("build", ("python3", "-P", script, *folders, *words))
    argv = ("--prefix", "/usr", "--stage", "{stage}", BUILD)
    script = f"{python.TOOLS}/install.py"
    assert install == RunStep("install", ("python3", "-P", script, *argv), serial=True)


def test_python_for_the_build_machine_is_no_cross_build() -> None:
    recipe = Python(**COMMON)
    build, install = python.steps(recipe, replace(context(recipe), native=True))
    assert "--sysroot" not in str(build)
    assert "'--prefix', '/quard/native/usr'" in str(install)


@pytest.mark.parametrize("kind", [CMake, Meson], ids=lambda kind: kind.__name__)
def test_a_build_for_the_build_machine_is_no_cross_build(kind: type[Recipe]) -> None:
    recipe = kind(**COMMON)
    write, configure, *_ = style(recipe).steps(recipe, replace(context(recipe), native=True))
    assert isinstance(write, WriteStep)
    assert isinstance(configure, RunStep)
    assert not {"CMAKE_SYSTEM_NAME", "[host_machine]"} & {*re.split(r"[(\s]", write.text)}
    assert any(word.endswith("=/quard/native/usr") for word in configure.argv)
    assert "--cross-file" not in configure.argv


def test_make_gives_variables_and_features_to_both_runs() -> None:
    recipe = Make(
        **COMMON,
        features=FEATURES,
        variables=("CROSS_COMPILE={cross}",),
        make=("all",),
        install=("DESTDIR={stage}", "install"),
    )
    common = ("make", "CROSS_COMPILE=riscv64-linux-gnu-", *CHOSEN)
    assert make.steps(recipe, context(recipe, CHOICES)) == (
        RunStep("build", (*common, "all")),
        RunStep("install", (*common, "DESTDIR={stage}", "install"), serial=True),
    )


def test_make_without_install_targets_only_builds() -> None:
    recipe = Make(**COMMON)
    assert make.steps(recipe, context(recipe)) == (RunStep("build", ("make",)),)


def test_kconfig_lays_the_boards_fragments_over_the_recipes_and_the_features_last() -> None:
    recipe = Kconfig(
        **COMMON,
        features=FEATURES,
        variables=("ARCH={linux_arch}",),
        base="defconfig",
        fragments=("b.fragment", "a.fragment"),
        refresh="oldconfig",
        make=("Image",),
        install=("PREFIX={stage}", "install"),
    )
    found = kconfig.steps(recipe, context(recipe, CHOICES, ("board-z.fragment",)))
    command = ("make", "ARCH=riscv")
    assert found == (
        KconfigStep(
            phase="configure",
            make=command,
            base="defconfig",
            refresh="oldconfig",
            fragments=("b.fragment", "a.fragment", "board-z.fragment"),
            lines=CHOSEN,
        ),
        RunStep("build", (*command, "Image")),
        RunStep("install", (*command, "PREFIX={stage}", "install")),
    )


def test_kconfig_without_install_targets_only_configures_and_builds() -> None:
    recipe = Kconfig(**COMMON)
    phases = [step.phase for step in kconfig.steps(recipe, context(recipe))]
    assert phases == ["configure", "build"]


def test_kconfig_modules_are_steps_that_a_configuration_without_any_leaves_out() -> None:
    recipe = Kconfig(
        **COMMON,
        variables=("ARCH={linux_arch}",),
        make=("Image",),
        modules=("modules",),
        install=("install",),
        modules_install=("INSTALL_MOD_PATH={stage}", "modules_install"),
        modules_finish=(Run("pack", "{linux_arch}", "{stage}/usr/src/kernel.tar"),),
    )
    command = ("make", "ARCH=riscv")
    links = ("find", "{stage}/lib/modules", "-type", "l", "-delete")
    assert kconfig.steps(recipe, context(recipe))[1:] == (
        RunStep("build", (*command, "Image")),
        RunStep("build", (*command, "modules"), modular=True),
        RunStep("install", (*command, "install")),
        RunStep("install", (*command, "INSTALL_MOD_PATH={stage}", "modules_install"), modular=True),
        RunStep("install", links, modular=True),
        RunStep("install", ("pack", "riscv", "{stage}/usr/src/kernel.tar"), modular=True),
    )


def test_a_kernel_module_is_built_by_the_kernels_makefile() -> None:
    recipe = KernelModule(**COMMON, features=FEATURES, folder="src", variables=("CONFIG_X=m",))
    make = ("make", "-C", BUILD, "M={src}/src", "ARCH=riscv", "CROSS_COMPILE=riscv64-linux-gnu-")
    install = ("INSTALL_MOD_PATH={stage}", "DEPMOD=true", "modules_install")
    assert kernelmodule.steps(recipe, context(recipe, CHOICES)) == (
        RunStep("configure", ("mkdir", BUILD)),
        RunStep("configure", ("tar", "-xf", "{sysroot}/usr/src/kernel.tar", "-C", BUILD)),
        RunStep("build", (*make, "CONFIG_X=m", *CHOSEN, "modules")),
        RunStep("install", (*make, "CONFIG_X=m", *CHOSEN, *install)),
    )
    assert plan(recipe, CHOICES).hardening == ()


def test_the_makefile_of_a_kernel_module_may_be_at_the_top_of_its_source() -> None:
    recipe = KernelModule(**COMMON)
    (build,) = (s for s in kernelmodule.steps(recipe, context(recipe)) if s.phase == "build")
    assert isinstance(build, RunStep)
    assert "M={src}" in build.argv


def test_custom_adds_the_features_to_the_first_configure_command() -> None:
    recipe = Custom(
        **COMMON,
        features=FEATURES,
        configure=(Run("./Configure", "{openssl.target}"), Run("make", "depend")),
        build=(Run("make"),),
        install=(Run("make", "install"), Symlink("a", "b")),
    )
    assert custom.steps(recipe, context(recipe, CHOICES)) == (
        RunStep("configure", ("./Configure", "linux64-riscv64", *CHOSEN)),
        RunStep("configure", ("make", "depend")),
        RunStep("build", ("make",)),
        RunStep("install", ("make", "install"), serial=True),
        LinkStep("install", "a", "b"),
    )


def test_custom_without_features_needs_no_configure_step() -> None:
    recipe = Custom(**COMMON, build=(Run("make"),))
    assert custom.steps(recipe, context(recipe)) == (RunStep("build", ("make",)),)


def test_custom_features_without_a_command_are_our_own_bug_since_lint_refuses_them() -> None:
    recipe = Custom(**COMMON, features=(FAST,), configure=(Symlink("a", "b"),))
    with pytest.raises(AssertionError):
        custom.steps(recipe, context(recipe, {"fast": True}))


def test_a_toolchains_runtime_is_one_step_with_the_targets_loader() -> None:
    fields = {**COMMON, "sources": ()}
    recipe = ToolchainRuntime(**fields, libraries=("libc.so.6",))
    assert runtime.steps(recipe, context(recipe)) == (
        ToolchainStep("install", ("libc.so.6",), RISCV.loader),
    )
