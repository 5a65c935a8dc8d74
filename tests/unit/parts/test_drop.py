"""What leaves a staging folder before it is split."""

from pathlib import Path

from split_parts import parts_of, refused, write


def test_dropping(stage: Path) -> None:
    for path in (
        "usr/share/doc/x/README", "usr/share/info/x", "usr/share/gtk-doc/x", "usr/share/help/x",
        "usr/lib/python3/__pycache__/x.pyc", "usr/lib/libx.la", "usr/share/locale/de/x.mo",
        "lib/unwanted/a/b", "usr/bin/keep", "usr/share/manual",
    ):  # fmt: skip
        write(stage / path)
    (stage / "usr/share/empty").mkdir()
    parts = parts_of(stage, drop=("usr/share/locale", "lib/unwanted/*", "usr/share/info/*"))
    assert parts.target == ("usr/bin/keep", "usr/share/empty", "usr/share/manual")
    assert not (stage / "usr/lib").exists()


def test_a_drop_that_drops_nothing_is_refused(stage: Path) -> None:
    write(stage / "usr/bin/keep")
    error = refused(lambda: parts_of(stage, drop=("usr/bin/k*", "usr/bin/gone", "usr/x/*")))
    assert error.reason == "drop-unused"
    assert error.detail == "usr/bin/gone\nusr/x/*"
