"""Settings of local.toml and of the command line: one meaning, one strictness."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import settings
from quard.boards.launching import CompileHost, Launching
from quard.boards.settings import Settings, require_sites
from quard.boards.trees import Trees

HOME = Path("/home/somebody")
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAA="
DSS = "ssh-dss AAAAB3NzaC1kc3MAAAA="
EMPTY = Settings(
    override={},
    cache=None,
    cache_url="",
    cache_push=True,
    cache_certificate=None,
    cache_s3_region="",
    cache_trust=None,
    cache_sign=None,
    remote=None,
    limit=None,
    sources_folder=None,
    mirrors=(),
    sites={},
    offline=False,
    strict_sources=False,
    largest_mib=2048,
    sandbox="auto",
    tools_root="auto",
    tools_mirrors=(),
    authorized_keys=(),
    launching=None,
    trees=(),
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
    (tmp_path / "downloads").mkdir()
    (tmp_path / "id.pub").write_text(f"# mine\n\n{ED25519} me\n  {RSA} you \n")
    wanted = Settings(
        override={"libmnl": tmp_path / "mnl"},
        cache=tmp_path / "cache",
        cache_url="https://cache.example:8443/team",
        cache_push=False,
        cache_certificate=tmp_path / "id.pub",
        cache_s3_region="eu-central-1",
        cache_trust=tmp_path / "id.pub",
        cache_sign=tmp_path / "id.pub",
        remote=None,
        limit=20 << 30,
        sources_folder=tmp_path / "downloads",
        mirrors=("https://a/", "https://b/"),
        sites={"gnu": ("https://e/gnu",)},
        offline=True,
        strict_sources=True,
        largest_mib=12,
        sandbox="none",
        tools_root="pinned",
        authorized_keys=(DSS, f"{ED25519} me", f"{RSA} you"),
        tools_mirrors=("https://c/debian", "file:///d"),
        launching=Launching("ccache", 1 << 30, "https://d/c", ()),
        trees=(tmp_path / "../product", tmp_path / "more"),
    )
    from_arguments = load(
        tmp_path,
        override__libmnl="mnl",
        cache__dir="cache",
        cache__limit="20G",
        cache__url="https://cache.example:8443/team/",
        cache__push="no",
        cache__certificate="id.pub",
        cache__s3_region="eu-central-1",
        cache__trust="id.pub",
        cache__sign="id.pub",
        sources__dir="downloads",
        sources__mirrors="https://a/,https://b/,",
        sites__gnu="https://e/gnu",
        sources__offline="yes",
        sources__strict="yes",
        sources__largest_mib="12",
        sandbox__mode="none",
        tools__root="pinned",
        login__authorized_keys=DSS,
        login__authorized_key_files="id.pub",
        tools__mirrors="https://c/debian,file:///d",
        trees__paths="../product,more",
        compiler__launcher="ccache",
        compiler__limit="1G",
        compiler__storage="https://d/c/",
    )
    from_file = load(
        tmp_path,
        f"""\
[override]
libmnl = "mnl"
[compiler]
launcher = "ccache"
limit = "1G"
storage = "https://d/c"
[cache]
dir = "cache"
limit = "20G"
url = "https://cache.example:8443/team"
push = false
certificate = "id.pub"
s3_region = "eu-central-1"
trust = "id.pub"
sign = "id.pub"
[sites]
gnu = ["https://e/gnu"]
[sources]
dir = "downloads"
mirrors = ["https://a/", "https://b/"]
offline = true
strict = true
largest_mib = 12
[sandbox]
mode = "none"
[login]
authorized_keys = ["{DSS}"]
authorized_key_files = ["id.pub"]
[tools]
root = "pinned"
mirrors = ["https://c/debian", "file:///d"]
[trees]
paths = ["../product", "more"]
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
    for name, what in (
        ("nothing", "a folder that does not exist"),
        ("file", "something that is not a"),
    ):
        error = refused(tmp_path, override__libmnl=name)
        assert f"override.libmnl names {what}" in error.message
        assert str(tmp_path / name) in error.message


def test_an_empty_override_is_not_the_project_itself(tmp_path: Path) -> None:
    assert (
        "override.libmnl does not name a folder" in refused(tmp_path, override__libmnl="").message
    )


def test_a_path_must_be_text(tmp_path: Path) -> None:
    assert "override.x must be a string" in refused(tmp_path, "[override]\nx = 1\n").message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[sandbox]\nmode = "off"\n', "sandbox.mode must be one of auto, bwrap, none, not 'off'"),
        (
            '[compiler]\nlauncher = "x"\n',
            "compiler.launcher must be one of none, ccache, distcc, not",
        ),
    ],
)
def test_a_word_outside_the_known_ones_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    assert wanted in refused(tmp_path, text).message


def keys(project: Path, content: bytes) -> tuple[str, ...]:
    """Return the keys of a key file with this content."""
    (project / "id.pub").write_bytes(content)
    return load(project, login__authorized_key_files="id.pub").authorized_keys


def test_what_sshd_takes_in_a_key_file_is_taken(tmp_path: Path) -> None:
    text = f"\ufeff \t# mine\r\n\t{ED25519.replace(' ', chr(9))}\tme\r\n\r\n  {RSA} you \t"
    assert keys(tmp_path, text.encode()) == (
        f"{ED25519.replace(' ', chr(9))}\tme",
        f"{RSA} you",
    )


def test_a_line_that_is_no_key_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "id.pub").write_text(f"# mine\n{ED25519} me\nssh-rsa {'x' * 80}\n")
    message = refused(tmp_path, login__authorized_key_files="id.pub").message
    assert f"login.authorized_key_files names {tmp_path}/id.pub, whose line 3 is no" in message
    assert len(message.replace(str(tmp_path), "")) < 200


def test_a_private_key_is_told_from_a_public_one_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n")
    error = refused(tmp_path, login__authorized_key_files="id")
    assert "whose line 1 is the beginning of a private key" in error.message
    assert "secret" not in error.block() and ".pub" in error.hint


@pytest.mark.parametrize("content", [b"", b"\n", b"# none\n", b"\xef\xbb\xbf"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "id.pub").write_bytes(content)
    message = refused(tmp_path, login__authorized_key_files="id.pub").message
    assert message.endswith(f"names {tmp_path}/id.pub, which contains no key")


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "utf16.pub").write_text(ED25519, encoding="utf-16")
    (tmp_path / "large.pub").write_bytes(b"#" * (2 << 20))
    (tmp_path / "folder.pub").mkdir()
    os.mkfifo(tmp_path / "pipe.pub")
    for name, problem in {
        "nowhere.pub": "cannot be read: No such file or directory",
        "utf16.pub": "is not UTF-8: 'utf-8' codec can't decode byte 0xff",
        "large.pub": "cannot be read: it is larger than 1 MiB",
        "folder.pub": "cannot be read: it is a folder, not a file",
        "pipe.pub": "cannot be read: it is a pipe, not a file",
        "/dev/zero": "cannot be read: it is a device, not a file",
    }.items():
        error = refused(tmp_path, login__authorized_key_files=name)
        assert f"names {tmp_path / name}, which {problem}" in error.message


def test_a_key_of_the_settings_that_is_none_is_named_with_its_place(tmp_path: Path) -> None:
    error = refused(tmp_path, f'[login]\nauthorized_keys = ["{RSA}", "me"]\n')
    assert "login.authorized_keys[1] is not a public key of SSH: 'me'" in error.message


def test_the_folder_of_sources_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, what in (
        ("nothing", "a folder that does not exist"),
        ("file", "something that is not a"),
    ):
        assert f"sources.dir names {what}" in refused(tmp_path, sources__dir=name).message


@pytest.mark.parametrize("key", ["override.x", "sources.dir"])
def test_a_path_that_is_too_long_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(QuardError) as caught:
        settings.load(tmp_path, {key: "/" + "x/" * 2030}, HOME)
    assert caught.value.reason == "bad-setting"
    with pytest.raises(QuardError) as caught:
        settings.load(tmp_path, {key: "/" + "x" * 300}, HOME)
    assert "File name too long" in caught.value.message


@pytest.mark.parametrize(
    "size", ["20", "G", "0G", "20 G", "20g", "-1G", "1.5G", "20GB", "9999999G"]
)
def test_a_limit_is_a_number_and_a_unit(tmp_path: Path, size: str) -> None:
    error = refused(tmp_path, cache__limit=size)
    assert "cache.limit is not a size" in error.message
    assert "compiler.limit is not a size" in refused(tmp_path, compiler__limit=size).message
    assert error.hint == 'write it like "500M" or "20G"'


@pytest.mark.parametrize(("text", "size"), [("500M", 500 << 20), ("1T", 1 << 40), ("", None)])
def test_limits_of_all_units(tmp_path: Path, text: str, size: int | None) -> None:
    assert load(tmp_path, cache__limit=text).limit == size
    launching = load(tmp_path, compiler__limit=text).launching
    assert launching and launching.limit == (size or 5 << 30)


@pytest.mark.parametrize(
    "url",
    [
        *("cache.example", "ftp://x/", "http://", "http://x:99999/", "http://x/?a=b"),
        *("http://x/a b", "grpc://x/a", "grpc://x:0", "grpcs://"),
    ],
)
def test_an_address_of_no_cache_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(QuardError) as caught:
        load(tmp_path, cache__url=url)
    assert caught.value.reason == "bad-setting"


@pytest.mark.parametrize("url", ["grpc://x:8980", "grpc://[::1]:8980/a/b", "grpcs://x/team"])
def test_a_cache_may_be_a_server_of_grpc(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, cache__url=url + "/").cache_url == url


@pytest.mark.parametrize("key", ["cache.certificate", "cache.trust", "cache.sign"])
def test_a_key_file_must_exist(tmp_path: Path, key: str) -> None:
    with pytest.raises(QuardError, match="a file that does not exist") as caught:
        load(tmp_path, **{key.replace(".", "__"): "nowhere"})
    assert caught.value.reason == "bad-setting"


@pytest.mark.parametrize("region", ["EU", "eu central", "a/b", "x" * 41])
def test_a_region_that_would_not_fit_into_a_signature_is_refused(
    tmp_path: Path, region: str
) -> None:
    assert "is not a region" in refused(tmp_path, cache__s3_region=region).message


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ('launcher = "distcc"', "compiler.launcher is distcc, but no host is named"),
        ('launcher = "ccache"\nhosts = ["a"]', "compiler.hosts is only used by distcc"),
        ('launcher = "distcc"\nhosts = ["a"]\nstorage = "http://a"', "is only used by ccache"),
        ('launcher = "ccache"\nstorage = "redis://a"', "compiler.storage is not an address"),
        ('launcher = "ccache"\nlimit = "0M"', "compiler.limit is not a size"),
        ('launcher = "sccache"', "must be one of none, ccache, distcc, not 'sccache'"),
        *(
            (f'launcher = "distcc"\nhosts = ["{host}"]', "which is no host")
            for host in ("", "@a", "-a", "a:0", "a:65536", "a/0", "a b", "a,lzo", "::1", "a\\n")
        ),
    ],
)
def test_a_launcher_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, text: str) -> None:
    assert text in refused(tmp_path, f"[compiler]\n{lines}\n").message


def test_an_address_of_ipv6_names_a_compile_host(tmp_path: Path) -> None:
    found = load(tmp_path, '[compiler]\nlauncher = "distcc"\nhosts = ["[fd00::2]:99/2"]\n')
    assert found.launching and found.launching.hosts == (CompileHost("fd00::2", 99, 2),)
    assert str(found.launching.hosts[0]) == "[fd00::2]:99"


def test_an_unknown_site_is_refused_with_the_one_that_is_meant(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        require_sites(load(tmp_path, sites__kernal="https://e/"), Trees(tmp_path))
    assert caught.value.reason == "bad-setting"
    assert "sites.kernal is no known site" in caught.value.message
    assert caught.value.hint == "did you mean 'kernel'?"


def test_a_site_of_a_product_tree_may_have_a_server_nearby(tmp_path: Path) -> None:
    trees = Trees(tmp_path)
    trees.sites = {"acme": ("https://acme.example.org",)}
    require_sites(load(tmp_path, sites__acme="https://e/"), trees)
