"""The command line: what is asked for, and one clear error for what cannot be meant."""

from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from quard.face import cli
from quard.face.cli import Command, parse

PACKAGES = ("busybox", "linux", "openssh", "openssl", "zlib")


def asked(*targets: str, **arguments: str) -> Command:
    given = {name.replace("__", "."): value for name, value in arguments.items()}
    return parse(targets, given, PACKAGES)


def refused(*targets: str, **arguments: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        asked(*targets, **arguments)
    return caught.value


def test_nothing_asked_for_is_the_default_boards_images() -> None:
    assert asked() == Command(verb="images", names=(), board="quard-star", given={}, settings={})


@pytest.mark.parametrize("verb", ["images", "run", "test", "source", "bench", "list"])
def test_a_verb_stands_alone(verb: str) -> None:
    assert (asked(verb).verb, asked(verb).names) == (verb, ())


@pytest.mark.parametrize("verb", ["depends", "rdepends"])
def test_a_question_takes_one_package(verb: str) -> None:
    assert (asked(verb, "zlib").verb, asked(verb, "zlib").names) == (verb, ("zlib",))
    for names in ((), ("zlib", "linux")):
        error = refused(verb, *names)
        assert (error.reason, error.hint) == ("bad-question", f"./scons {verb} NAME")


@pytest.mark.parametrize("verb", ["info", "why"])
def test_a_question_may_take_one_package_or_none(verb: str) -> None:
    assert asked(verb, "zlib").names == ("zlib",)
    assert asked(verb).names == ()
    error = refused(verb, "zlib", "linux")
    assert (error.reason, error.hint) == ("bad-question", f"./scons {verb} [NAME]")


@pytest.mark.parametrize("verb", [*cli.OVERVIEWS, "list"])
def test_a_question_about_everything_takes_no_name(verb: str) -> None:
    assert (asked(verb).verb, asked(verb).builds) == (verb, False)
    error = refused(verb, "zlib")
    assert (error.reason, error.hint) == ("bad-question", f"./scons {verb}")


def test_packages_are_built_and_rebuilt_by_name() -> None:
    assert (asked("zlib", "linux").verb, asked("zlib", "linux").names) == (
        "build",
        ("zlib", "linux"),
    )
    again = asked("zlib-rebuild", "linux-rebuild")
    assert (again.verb, again.names) == ("rebuild", ("zlib", "linux"))


@pytest.mark.parametrize(
    "verb", ["menuconfig", "savedefconfig", "diffconfig", "edit", "patch", "shell"]
)
def test_a_verb_after_a_name_works_in_that_packages_folder(verb: str) -> None:
    command = asked(f"linux-{verb}")
    assert (command.verb, command.names) == (verb, ("linux",))
    assert command.opens and command.builds
    assert not asked("linux").opens and not asked("linux-rebuild").opens


def test_a_package_whose_name_ends_like_a_verb_is_itself() -> None:
    names = (*PACKAGES, "zlib-shell", "g++-x")
    assert parse(("zlib-shell",), {}, names).verb == "build"
    assert parse(("zlib-shell-shell",), {}, names).names == ("zlib-shell",)
    assert parse(("g++-x-rebuild",), {}, names).names == ("g++-x",)


@pytest.mark.parametrize(
    "targets",
    [
        ("zlib-shell", "linux-shell"),
        ("linux-menuconfig", "busybox-menuconfig"),
        ("linux-menuconfig", "linux"),
        ("linux-shell", "linux-rebuild"),
        ("linux-shell", "run"),
        ("zlib", "linux-rebuild"),
        ("run", "zlib"),
        ("zlib", "run"),
        ("run", "test"),
        ("run", "run"),
        ("zlib-rebuild", "list"),
        ("zlib", "info"),
    ],
)
def test_what_cannot_be_done_together_is_refused(targets: tuple[str, ...]) -> None:
    error = refused(*targets)
    assert (error.reason, error.detail) == ("bad-question", " ".join(targets))


def test_list_takes_no_name() -> None:
    assert refused("list", "zlib").reason == "bad-question"


@pytest.mark.parametrize(
    ("target", "near"),
    [
        ("zlbi", "zlib"),
        ("opensll", "openssl"),
        ("rn", "run"),
        ("imags", "images"),
        ("linux-rebiuld", "linux-rebuild"),
        ("linux-menucofig", "linux-menuconfig"),
        ("zlib-shel", "zlib-shell"),
        ("Linux", "linux"),
    ],
)
def test_a_typing_error_in_a_target_gets_a_suggestion(target: str, near: str) -> None:
    error = refused(target)
    assert error.reason == "unknown-target-name"
    assert error.message == f"unknown target {target!r}"
    assert error.hint == f"did you mean {near!r}?"


def test_a_target_near_to_nothing_points_to_the_help() -> None:
    error = refused("xyzzy")
    assert error.reason == "unknown-target-name"
    assert "--help" in error.hint


def test_a_typing_error_in_a_question_gets_a_suggestion() -> None:
    error = refused("info", "opensl")
    assert (error.reason, error.hint) == ("unknown-package", "did you mean 'openssl'?")


@pytest.mark.parametrize(
    ("name", "near"),
    [("BORAD", "BOARD"), ("STRIKT", "STRICT"), ("QEMU_ARG", "QEMU_ARGS"), ("FROMAT", "FORMAT")],
)
def test_a_typing_error_in_a_variable_gets_a_suggestion(name: str, near: str) -> None:
    error = refused(**{name: "x"})
    assert error.reason == "unknown-variable"
    assert error.message == f"unknown variable {name!r}"
    assert error.hint == f"did you mean {near!r}?"


def test_a_typing_error_in_a_settings_table_gets_a_suggestion() -> None:
    error = refused(sandbx__mode="none")
    assert (error.reason, error.hint) == ("unknown-variable", "did you mean 'sandbox.KEY'?")


def test_a_variable_in_lower_case_is_not_one() -> None:
    assert refused(board="x").reason == "unknown-variable"


def test_settings_and_variables_are_told_apart() -> None:
    command = asked(BOARD="other", override__libmnl="/x", sandbox__mode="none", STRICT="1")
    assert command.board == "other"
    assert command.given == {"BOARD": "other", "STRICT": "1"}
    assert command.settings == {"override.libmnl": "/x", "sandbox.mode": "none"}


@pytest.mark.parametrize(
    ("text", "strict"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_strict_is_off_for_nothing_and_zero(text: str, strict: bool) -> None:
    assert asked(STRICT=text).strict is strict
    assert asked().strict is False


def test_answers_are_json_when_asked_for() -> None:
    assert asked("list", FORMAT="json").as_json
    assert not asked("list", FORMAT="text").as_json
    assert not asked("list").as_json
    error = refused("list", FORMAT="xml")
    assert (error.reason, error.hint) == ("bad-variable", "FORMAT=json or FORMAT=text")


def test_only_what_makes_files_takes_the_tree_for_itself() -> None:
    builds = {verb: asked(verb).builds for verb in ("images", "run", "source", "test", "bench")}
    assert builds == {"images": True, "run": True, "source": True, "test": False, "bench": False}
    assert asked("zlib").builds
    assert asked("zlib-rebuild").builds
    assert not asked("list").builds
    assert not asked("info", "zlib").builds


def test_the_help_names_every_target_and_variable() -> None:
    text = cli.help_text()
    for name in (*cli.HELP, *cli.VARIABLES):
        assert f"  {name} " in text
    for verb in (*cli.BUILDS, *cli.QUESTIONS, *(f"NAME-{suffix}" for suffix in cli.SUFFIXES)):
        assert any(name.split()[0] == verb for name in cli.HELP), verb
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize(
    ("targets", "hint"),
    [
        (("mine",), "./scons BOARD=mine"),
        (("mine", "run"), "./scons BOARD=mine run"),
        (("why", "mine"), "./scons BOARD=mine why"),
        (("list", "mine"), "./scons BOARD=mine list"),
        (("info", "zlib", "mine"), "./scons BOARD=mine info zlib"),
    ],
)
def test_a_board_in_the_place_of_a_target_is_told_as_such(
    targets: tuple[str, ...], hint: str
) -> None:
    with pytest.raises(QuardError) as caught:
        parse(targets, {}, PACKAGES, ("mine", "zlib"))
    assert caught.value.message.startswith("'mine' is a board, not a ")
    assert caught.value.hint == hint
    assert parse(("zlib",), {}, PACKAGES, ("mine", "zlib")).names == ("zlib",)
