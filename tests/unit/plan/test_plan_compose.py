"""Recipe + choices + what was read from the disk -> one plan."""

from __future__ import annotations

import dataclasses

import pytest
from plan_parts import COMMON, FAST, SHA, configuration, plan

from quard.base.errors import QuardError
from quard.base.files import FileRef
from quard.boards.targets import target
from quard.hardening import Hardening
from quard.model import (
    Alternate,
    Autotools,
    CMake,
    Configure,
    Custom,
    Feature,
    Install,
    Kconfig,
    KernelModule,
    Make,
    Meson,
    Part,
    Python,
    Run,
    Source,
    ToolchainRuntime,
)
from quard.plan.autotools import GENERATORS
from quard.plan.compose import Inputs, compose
from quard.plan.plan import ANSWERS, PHASES
from quard.plan.source import accepted

A, B = FileRef("a", "1" * 64), FileRef("b", "2" * 64)
STYLES = (
    Autotools(**COMMON),
    CMake(**COMMON),
    Configure(**COMMON),
    Meson(**COMMON),
    Make(**COMMON),
    Python(**COMMON),
    Kconfig(**COMMON),
    KernelModule(**COMMON),
    Custom(**COMMON),
    ToolchainRuntime(**{**COMMON, "sources": ()}, libraries=()),
)


@pytest.mark.parametrize("recipe", STYLES, ids=lambda recipe: type(recipe).__name__)
def test_every_style_has_a_plan_whose_phases_come_in_order(recipe: Autotools) -> None:
    full = dataclasses.replace(recipe, prepare=(Run("first"),), finish=(Run("last"),))
    found = plan(full)
    phases = [PHASES.index(step.phase) for step in found.steps]
    assert phases == sorted(phases)
    assert "first" in str(found.steps[0])
    assert "last" in str(found.steps[-1])


def test_scripts_of_autoconf_are_given_answers_about_a_c_library_of_the_compiler() -> None:
    """musl is a package: its headers come into the sysroot with the other dependencies."""
    given = {type(recipe).__name__: plan(recipe).answers for recipe in STYLES}
    assert [name for name, answers in given.items() if answers] == ["Autotools"]
    assert plan(STYLES[0]).instructions()["answers"] == ANSWERS
    assert "answers" not in plan(STYLES[1]).instructions()
    musl = dataclasses.replace(configuration(), target=target("riscv64-linux-musl"))
    found = compose("thing", STYLES[0], configuration=musl, features={}, inputs=Inputs())
    assert not found.answers


def test_the_inputs_are_in_the_plan_sorted_where_order_means_nothing() -> None:
    found = plan(
        Autotools(**COMMON, tools=("flex", "bison"), env=(("B", "{triple}"), ("A", "{src}"))),
        inputs=Inputs(
            patches=(B, A), files=(A,), fragments=(B,), sysroot=("z", "a"), linked=("y", "b")
        ),
    )
    assert found.patches == (B, A)
    assert found.files == (A, B)
    assert (found.needs, found.links) == (("a", "z"), ("b", "y"))
    assert found.tools == ("bison", "flex")
    assert found.env == (("A", "{src}"), ("B", "riscv64-linux-gnu"))
    assert (found.name, found.version, found.triple) == ("thing", "1.2", "riscv64-linux-gnu")
    assert found.cflags == "-O2"


def test_the_hardening_is_in_the_plan_as_words_of_what_the_compiler_does() -> None:
    everything = ("bind_now", "fortify=3", "noexecstack", "pie", "relro", "stack_protector")
    assert plan(Make(**COMMON)).hardening == everything
    some = Hardening(pie=False, fortify=2, stack_protector=False)
    assert plan(Make(**COMMON), hardening=some).hardening == (
        "bind_now",
        "fortify=2",
        "noexecstack",
        "relro",
    )
    assert "fortify" not in str(plan(Make(**COMMON), hardening=Hardening(fortify=0)).hardening)


@pytest.mark.parametrize("off", ["no_rpath", "no_textrel"])
def test_what_is_only_checked_is_in_no_plan(off: str) -> None:
    others = Hardening(**{off: False})
    assert plan(Make(**COMMON), hardening=others) == plan(Make(**COMMON))


def test_what_is_freestanding_or_not_compiled_has_no_hardening() -> None:
    found = plan(Kconfig(**COMMON, freestanding="a kernel"))
    assert found.hardening == ()
    assert "a kernel" not in str(found.as_json())
    library = ToolchainRuntime(**{**COMMON, "sources": ()}, libraries=("libc.so.6",))
    assert plan(library).hardening == ()


def test_features_are_sorted_by_name_for_people_who_compare_plans() -> None:
    recipe = Autotools(**COMMON, features=(FAST, Feature("any", "x", on=("a",), off=("b",))))
    found = plan(recipe, {"fast": True, "any": False})
    assert found.features == (("any", False), ("fast", True))


def test_placeholders_are_rendered_in_every_field_that_the_executor_reads() -> None:
    found = plan(Autotools(**COMMON, drop=("usr/lib/lib{name}-{version}.a",)))
    assert found.drop == ("usr/lib/libthing-1.2.a",)
    parts = (Part("programs", ("usr/{name}",)), Part("libs", ("etc/{version}", "x")))
    found = plan(Autotools(**COMMON, parts=parts))
    assert found.parts == (("libs", ("etc/1.2", "x")), ("programs", ("usr/thing",)))
    with pytest.raises(QuardError) as caught:
        plan(Autotools(**COMMON, env=(("A", "{nope}"),)))
    assert caught.value.reason == "unknown-placeholder"


def test_upstreams_digest_comes_before_the_alternates() -> None:
    source = Source(
        "https://x/y", SHA, "us", alternates=(Alternate("https://x/z", "f" * 64, "less"),)
    )
    recipe = Autotools(**{**COMMON, "sources": (source,)})
    assert accepted(recipe) == plan(recipe).sources == (SHA, "f" * 64)


def test_upstreams_archive_alone_is_accepted_where_the_site_is_strict() -> None:
    source = Source(
        "https://x/y", SHA, "us", alternates=(Alternate("https://x/z", "f" * 64, "less"),)
    )
    recipe = Autotools(**{**COMMON, "sources": (source,)})
    assert accepted(recipe, strict=True) == (SHA,)
    assert plan(recipe, inputs=Inputs(strict=True)).archives == (SHA,)


def test_no_source_no_digest() -> None:
    assert accepted(ToolchainRuntime(**{**COMMON, "sources": ()}, libraries=())) == ()


def test_no_address_and_no_text_for_people_is_in_a_plan() -> None:
    text = str(plan(Autotools(**COMMON, homepage="https://home.example")).as_json())
    for absent in ("example", "A thing", "MIT"):
        assert absent not in text


def test_a_local_tree_replaces_the_archive() -> None:
    found = plan(Autotools(**COMMON), inputs=Inputs(tree="d" * 64))
    assert (found.sources, found.tree) == ((), "d" * 64)
    assert found.tools == ()


def test_a_checkout_is_configured_after_the_recipes_own_preparation() -> None:
    recipe = Autotools(**COMMON, prepare=(Run("first"),), tools=("bison",))
    found = plan(recipe, inputs=Inputs(tree="d" * 64, generate=True))
    assert [step.phase for step in found.steps[:3]] == ["prepare", "prepare", "configure"]
    assert "autoreconf" in str(found.steps[1])
    assert found.tools == tuple(sorted(("bison", *GENERATORS)))


def test_only_autotools_packages_get_a_configure_script_made() -> None:
    found = plan(Make(**COMMON), inputs=Inputs(tree="d" * 64, generate=True))
    assert "autoreconf" not in str(found.steps)
    assert found.tools == ()


@pytest.mark.parametrize(
    ("destination", "deploys"),
    [("boot/Image", True), ("usr/boot/Image", False), ("boots/x", False), ("boot", False)],
)
def test_a_package_deploys_when_it_installs_below_boot(destination: str, deploys: bool) -> None:
    recipe = Make(**COMMON, finish=(Install("x", destination),))
    assert plan(recipe).deploys is deploys
