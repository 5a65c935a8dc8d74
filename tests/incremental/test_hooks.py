"""Hooks: a board's scripts that change a root's files, and that make files from images."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from incremental.initramfs import CONSOLE
from incremental.project import CHECKOUT, SYSTEM, Project, ok
from incremental.test_bad_input import refused

HOOKS = """\
[hooks]
post_root = ["hooks/stamp.sh"]
post_image = ["hooks/sums.sh"]
inputs = ["hooks/text", "hooks/more"]
outputs = ["SHA256SUMS"]
"""
STAMP = """\
#!/bin/sh
set -e
[ "$PWD" = "$ROOT" ]
cp "$FILES/hooks/text" etc/stamp
cat "$FILES/hooks/more/part" >> etc/stamp
mkdir -p opt/new
echo "$BOARD $SOURCE_DATE_EPOCH" > opt/new/board
chmod 600 opt/new/board
ln -s ../../etc/stamp opt/new/link
rm usr/bin/alone
echo changed >> etc/motd
"""
SUMS = """\
#!/bin/sh
set -e
cd "$IMAGES"
sha256sum rootfs.* > "$OUT/SHA256SUMS"
"""
PERMISSION = """\
[[permission]]
path = "/opt/new/board"
mode = "4711"
owner = "root"
group = "root"
"""


@pytest.fixture
def hooked(greeting: Project) -> Project:
    greeting.board(["alone", "libc"], more=HOOKS, formats='"squashfs"')
    folder = greeting.folder / "hooks"
    (folder / "more").mkdir(parents=True)
    (folder / "text").write_text("one\n")
    (folder / "more/part").write_text("two\n")
    script(greeting, "stamp", STAMP)
    script(greeting, "sums", SUMS)
    (greeting.folder / "configs/system/base.toml").write_text(SYSTEM + CONSOLE)
    return greeting


def script(project: Project, name: str, text: str) -> None:
    path = project.folder / f"hooks/{name}.sh"
    path.write_text(text)
    path.chmod(0o755)


def members(project: Project, root: str = "") -> dict[str, tarfile.TarInfo]:
    with tarfile.open(project.folder / "out/tiny/images" / root / "rootfs.tar") as tar:
        return {each.name: each for each in tar}


def text(project: Project, name: str) -> str:
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read().decode()


def why(project: Project) -> dict[str, list[str]]:
    now = json.loads(ok(project.run("why", "FORMAT=json")).out)["now"]
    return {row["name"]: row["why"] for row in now["images"] if row["why"]}


def test_a_root_has_what_the_script_makes_and_the_tables_say(hooked: Project) -> None:
    path = hooked.folder / "configs/system/base.toml"
    path.write_text(path.read_text() + PERMISSION)
    ok(hooked.run())
    assert text(hooked, "etc/stamp") == "one\ntwo\n"
    assert text(hooked, "opt/new/board") == "tiny 315532800\n"
    assert text(hooked, "etc/motd") == "hello\nchanged\n"
    found = members(hooked)
    assert "usr/bin/alone" not in found
    assert found["opt/new/link"].linkname == "../../etc/stamp"
    assert (found["opt/new/board"].mode, found["opt/new/board"].uid) == (0o4711, 0)
    assert (found["root"].mode, found["dev/console"].type) == (0o700, tarfile.CHRTYPE)
    assert found["etc/shadow"].mode == 0o600
    facts = json.loads((hooked.folder / "out/tiny/images/manifest.json").read_text())
    assert facts["/etc/stamp"]["package"] == "post-root"
    assert facts["/etc/motd"]["replaces"] == "rootfs"
    assert facts["/etc/stamp"]["sha256"] == hashlib.sha256(b"one\ntwo\n").hexdigest()


def test_what_is_made_from_images_fits_them(hooked: Project) -> None:
    ok(hooked.run())
    images = hooked.folder / "out/tiny/images"
    sums = dict(line.split()[::-1] for line in (images / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hooked.image(name) for name in ("rootfs.squashfs", "rootfs.tar")}
    assert not [*(hooked.folder / "out/tiny/work").glob("_*")]


def test_only_what_has_changed_is_made_again_and_why_names_it(hooked: Project) -> None:
    first = ok(hooked.run())
    assert "post-image" in first.summary["images"]
    assert ok(hooked.run()).summary["images"] == []
    script(hooked, "sums", SUMS + "# more\n")
    assert why(hooked) == {"post-image": ["hook hooks/sums.sh changed"]}
    assert ok(hooked.run()).summary["images"] == ["post-image"]
    (hooked.folder / "hooks/more/part").write_text("three\n")
    assert why(hooked)["rootfs.tar"] == ["input of hooks hooks/more changed"]
    assert ok(hooked.run()).summary["images"] == ["post-image", "rootfs.squashfs", "rootfs.tar"]
    assert text(hooked, "etc/stamp") == "one\nthree\n"
    script(hooked, "stamp", STAMP + "# the same files\n")
    assert why(hooked)["rootfs.tar"] == ["hook hooks/stamp.sh changed"]
    assert ok(hooked.run()).summary["images"] == ["rootfs.tar"], "as its bytes are the same"
    hooked.board(["alone", "libc"], formats='"squashfs"')
    ok(hooked.run())
    assert not (hooked.folder / "out/tiny/images/SHA256SUMS").exists()
    assert "usr/bin/alone" in members(hooked)


def test_images_have_the_same_bytes_elsewhere(hooked: Project, tmp_path: Path) -> None:
    ok(hooked.run())
    names = ("rootfs.tar", "SHA256SUMS")
    first = [hooked.image(name) for name in names]
    other = tmp_path / "a longer name"
    shutil.copytree(hooked.folder, other, symlinks=True, ignore=shutil.ignore_patterns("out"))
    hooked.folder = other
    ok(hooked.run("sandbox.mode=none"))
    assert [hooked.image(name) for name in names] == first


def test_a_script_sees_no_network_no_user_and_nothing_undeclared(hooked: Project) -> None:
    script(
        hooked,
        "stamp",
        "#!/bin/sh\nset -e\n[ ! -e /work ] && [ ! -e /home ] && [ ! -e /etc/hosts ]\n"
        '[ "$(cat /proc/net/route | wc -l)" -le 1 ]\nfind "$FILES" -type f | sort > etc/seen\n',
    )
    (hooked.folder / "hooks/secret").write_text("x\n")
    ok(hooked.run())
    assert text(hooked, "etc/seen").splitlines() == [
        f"/quard/files/hooks/{name}" for name in ("more/part", "stamp.sh", "text")
    ]


def test_a_failed_script_is_one_error_with_its_log_and_leaves_no_image(hooked: Project) -> None:
    script(hooked, "stamp", "#!/bin/sh\necho no key >&2\nexit 3\n")
    ran = hooked.run()
    refused(ran, "hook-failed", "the hook hooks/stamp.sh failed", "status: 3", "no key")
    assert "log: out/tiny/logs/post-root.log" in ran.err
    assert not (hooked.folder / "out/tiny/images/rootfs.tar").exists()
    script(hooked, "stamp", STAMP)
    ok(hooked.run())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("true", "SHA256SUMS: missing"),
        ('touch "$OUT/SHA256SUMS" "$OUT/more"', "more: not among `outputs`"),
        ('mkdir "$OUT/SHA256SUMS"', "SHA256SUMS: not a file"),
    ],
)
def test_outputs_are_exactly_those_that_are_declared(hooked: Project, line: str, said: str) -> None:
    script(hooked, "sums", f"#!/bin/sh\n{line}\n")
    refused(hooked.run(), "hook-outputs", said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mkfifo etc/pipe", "/etc/pipe, which a hook has made, is not a file"),
        ("chmod u+s usr/bin/alone", "/usr/bin/alone, which a hook has made, has a set-id"),
    ],
)
def test_what_an_image_takes_from_tables_is_refused(hooked: Project, line: str, said: str) -> None:
    script(hooked, "stamp", f"#!/bin/sh\n{line}\n")
    refused(hooked.run(), "hook-file-type", said)


def test_what_a_script_makes_is_checked_as_all_files_are(hooked: Project) -> None:
    script(
        hooked, "stamp", "#!/bin/sh\nprintf '#!/bin/nothing\\n' > usr/bin/x\nchmod 755 usr/bin/x\n"
    )
    refused(hooked.run(), "missing-interpreter", "/usr/bin/x of hook post-root")


def test_hooks_that_are_not_there_or_cannot_run_are_one_error(hooked: Project) -> None:
    path = hooked.folder / "hooks/stamp.sh"
    path.chmod(0o644)
    refused(hooked.run(), "bad-hook", "hooks/stamp.sh, which [hooks]", f"hint: chmod +x {path}\n")
    path.unlink()
    refused(hooked.run(), "bad-hook", "hooks/stamp.sh", "cannot be read")


def test_a_named_root_has_hooks_of_its_own(hooked: Project) -> None:
    more = '[roots.rescue]\npackages = ["libc"]\noverlays = ["rootfs"]\nimage.formats = []\n'
    more += '[roots.rescue.hooks]\npost_root = ["hooks/rescue.sh"]\n'
    script(hooked, "rescue", '#!/bin/sh\necho "$BOARD" > etc/rescue\n')
    hooked.board(["alone", "libc"], more=HOOKS + more, formats='"squashfs"')
    ok(hooked.run())
    assert "etc/stamp" in members(hooked) and "etc/rescue" not in members(hooked)
    assert "etc/rescue" in members(hooked, "rescue") and "etc/stamp" not in members(
        hooked, "rescue"
    )


def test_the_example_of_the_documentation_works(hooked: Project) -> None:
    page = (CHECKOUT / "docs/hooks.md").read_text()
    table, version, sums = re.findall(r"```(?:toml|sh)\n(.*?)```", page, re.DOTALL)[:3]
    script(hooked, "version", version)
    script(hooked, "checksums", sums)
    (hooked.folder / "hooks/VERSION").write_text("7.1\n")
    hooked.board(["alone", "libc"], more=table, formats='"squashfs"')
    ok(hooked.run())
    assert text(hooked, "etc/product-version") == "7.1\nbuilt for tiny\n"
    sums = (hooked.folder / "out/tiny/images/SHA256SUMS").read_text()
    assert f"{hooked.image()}  rootfs.tar\n" in sums


def test_a_board_adds_to_the_hooks_of_the_included_one(hooked: Project) -> None:
    script(hooked, "more", "#!/bin/sh\necho more >> etc/stamp\n")
    path = hooked.folder / "configs/wide.toml"
    path.write_text(
        'include = ["tiny"]\nsummary = "x"\n[hooks]\npost_root.add = ["hooks/more.sh"]\n'
    )
    ok(hooked.run(board="wide"))
    with tarfile.open(hooked.folder / "out/wide/images/rootfs.tar") as tar:
        file = tar.extractfile("etc/stamp")
        assert file is not None and file.read() == b"one\ntwo\nmore\n"
