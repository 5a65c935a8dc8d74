"""Settings of local.toml and of the command line: one meaning, one strictness."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard import settings
from quard.errors import QuardError
from quard.settings import Settings

HOME = Path("/home/somebody")
EMPTY = Settings(
    override={},
    cache=None,
    sources_folder=None,
    mirrors=(),
    offline=False,
    largest_mib=2048,
    sandbox="auto",
    authorized_keys=(),
)


def load(project: Path, text: str | None = None, **arguments: str) -> Settings:
    if text is not None:
        (project / "local.toml").write_text(text, encoding="utf-8")
    given = {name.replace("__", "."): value for name, value in arguments.items()}
    return settings.load(project, given, HOME)


def refused(project: Path, text: str | None = None, **arguments: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        load(project, text, **arguments)
    assert caught.value.reason == "bad-setting"
    return caught.value


def test_without_a_file_and_arguments_there_are_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == EMPTY
    assert load(tmp_path, "") == EMPTY


def test_the_file_and_the_command_line_say_the_same_things(tmp_path: Path) -> None:
    (tmp_path / "mnl").mkdir()
    (tmp_path / "id.pub").write_text("# mine\n\nssh-ed25519 AAAA me\n  ssh-rsa BBBB you \n")
    wanted = Settings(
        override={"libmnl": tmp_path / "mnl"},
        cache=tmp_path / "cache",
        sources_folder=HOME / "downloads",
        mirrors=("https://a/", "https://b/"),
        offline=True,
        largest_mib=12,
        sandbox="none",
        authorized_keys=("ssh-dss CCCC", "ssh-ed25519 AAAA me", "ssh-rsa BBBB you"),
    )
    from_arguments = load(
        tmp_path,
        override__libmnl="mnl",
        cache__dir="cache",
        sources__dir="~/downloads",
        sources__mirrors="https://a/,https://b/,",
        sources__offline="yes",
        sources__largest_mib="12",
        sandbox__mode="none",
        login__authorized_keys="ssh-dss CCCC",
        login__authorized_key_files="id.pub",
    )
    from_file = load(
        tmp_path,
        """\
[override]
libmnl = "mnl"
[cache]
dir = "cache"
[sources]
dir = "~/downloads"
mirrors = ["https://a/", "https://b/"]
offline = true
largest_mib = 12
[sandbox]
mode = "none"
[login]
authorized_keys = ["ssh-dss CCCC"]
authorized_key_files = ["id.pub"]
""",
    )
    assert from_file == wanted
    assert from_arguments == wanted


def test_the_command_line_wins_key_by_key(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    found = load(
        tmp_path,
        '[override]\nx = "a"\ny = "b"\n[sources]\noffline = true\n',
        override__x="c",
        sources__offline="0",
    )
    assert found.override == {"x": tmp_path / "c", "y": tmp_path / "b"}
    assert found.offline is False


def test_other_arguments_are_not_looked_at(tmp_path: Path) -> None:
    assert settings.load(tmp_path, {"BOARD": "x", "board.name": "y", "cache": "z"}, HOME) == EMPTY


def test_a_setting_is_told_by_its_table() -> None:
    assert settings.is_setting("override.libmnl")
    assert settings.is_setting("sources.")
    assert not settings.is_setting("sources")
    assert not settings.is_setting("source.dir")
    assert not settings.is_setting("BOARD")


def test_an_absolute_path_stays_and_a_lone_tilde_is_home(tmp_path: Path) -> None:
    assert load(tmp_path, cache__dir="/var/cache/x").cache == Path("/var/cache/x")
    assert load(tmp_path, cache__dir="~").cache == HOME
    assert load(tmp_path, cache__dir="~x").cache == tmp_path / "~x"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1", True), ("TRUE", True), ("Yes", True), ("0", False), ("false", False), ("no", False)],
)
def test_a_flag_of_the_command_line_has_a_few_spellings(
    tmp_path: Path, text: str, wanted: bool
) -> None:
    assert load(tmp_path, sources__offline=text).offline is wanted


def test_another_spelling_of_a_flag_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, sources__offline="maybe")
    assert error.message == (
        "local.toml or the command line: sources.offline must be true or false, not 'maybe'"
    )


@pytest.mark.parametrize("number", ["0", "-1", "much", "1.5", ""])
def test_the_largest_archive_is_a_number_of_mebibytes(tmp_path: Path, number: str) -> None:
    assert "sources.largest_mib must be" in refused(tmp_path, sources__largest_mib=number).message


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "[override\n").message == "local.toml is not valid TOML"


def test_an_unknown_table_of_the_file_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, '[overide]\nlibmnl = "x"\n')
    assert error.message == "local.toml: unknown key overide"
    assert error.hint == "did you mean 'override'?"


@pytest.mark.parametrize("table", settings.TABLES)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: str) -> None:
    error = refused(tmp_path, f'{table} = "x"\n')
    assert error.message == f"local.toml: {table} must be a table, not 'x'"


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        ("cache", "dirr", "did you mean 'dir'?"),
        ("sources", "mirror", "did you mean 'mirrors'?"),
        ("sandbox", "mod", "did you mean 'mode'?"),
        ("compiler", "launchr", "did you mean 'launcher'?"),
        ("login", "authorised_keys", "did you mean 'authorized_keys'?"),
    ],
)
def test_an_unknown_key_is_refused_in_the_file_and_on_the_command_line(
    tmp_path: Path, table: str, key: str, hint: str
) -> None:
    from_arguments = refused(tmp_path, **{f"{table}__{key}": "x"})
    from_file = refused(tmp_path, f'[{table}]\n{key} = "x"\n')
    for error in (from_arguments, from_file):
        assert error.message == f"local.toml or the command line: unknown key {table}.{key}"
        assert error.hint == hint


def test_an_override_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, what in (("nothing", "a folder that does not exist"), ("file", "what is not a")):
        error = refused(tmp_path, override__libmnl=name)
        assert f"override.libmnl names {what}" in error.message
        assert str(tmp_path / name) in error.message


def test_an_empty_override_is_not_the_project_itself(tmp_path: Path) -> None:
    assert "override.libmnl names no folder" in refused(tmp_path, override__libmnl="").message


def test_a_path_must_be_text(tmp_path: Path) -> None:
    assert "override.x must be a string" in refused(tmp_path, "[override]\nx = 1\n").message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[sandbox]\nmode = "off"\n', "sandbox.mode must be one of auto, bwrap, none, not 'off'"),
        ('[compiler]\nlauncher = "x"\n', "compiler.launcher must be one of none, not 'x'"),
    ],
)
def test_a_word_outside_the_known_ones_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    assert wanted in refused(tmp_path, text).message


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "id.pub"
    if content is not None:
        path.write_bytes(content)
    error = refused(tmp_path, login__authorized_key_files="id.pub")
    assert "login.authorized_key_files cannot be read" in error.message
