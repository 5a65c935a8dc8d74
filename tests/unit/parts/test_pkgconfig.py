"""Folders that pkg-config files name."""

from __future__ import annotations

from pathlib import Path

from split_parts import write

from quard.parts.pkgconfig import Folders, folders

GLIB = """\
prefix=/usr
exec_prefix=${prefix}
libdir = ${exec_prefix}/lib
Name: GLib
Cflags: -I${prefix}/include/glib-2.0 \\
  -I${libdir}/glib-2.0/include -pthread
"""


def test_folders_of_headers_are_found_through_variables_and_over_lines(tmp_path: Path) -> None:
    write(tmp_path / "usr/lib/pkgconfig/glib-2.0.pc", GLIB)
    assert folders(tmp_path, ["usr/lib/pkgconfig/glib-2.0.pc"]) == Folders(
        frozenset(("usr/include/glib-2.0", "usr/lib/glib-2.0/include")), frozenset()
    )


def test_folders_of_data_are_those_below_share(tmp_path: Path) -> None:
    text = "prefix=/usr\ndatarootdir=${prefix}/share\npkgdatadir=${pc_sysrootdir}/x\n"
    text += "protocols=${datarootdir}/wayland-protocols\nplugins=/usr/lib/x\n"
    write(tmp_path / "usr/share/pkgconfig/w.pc", text)
    found = folders(tmp_path, ["usr/share/pkgconfig/w.pc"])
    assert found == Folders(frozenset(), frozenset(("usr/share/wayland-protocols",)))


def test_what_means_nothing_names_nothing(tmp_path: Path) -> None:
    text = "a=${b}\nb=${a}\nCflags: -I${a} -I../x -I -Dx\nCFlags: -I'/usr/lib/odd name'\n"
    write(tmp_path / "odd.pc", text)
    (tmp_path / "link.pc").symlink_to("odd.pc")
    (tmp_path / "bytes.pc").write_bytes(b"\xff\0Cflags: -I/usr/lib/b\n")
    assert folders(tmp_path, ["link.pc"]) == Folders(frozenset(), frozenset())
    assert folders(tmp_path, ["odd.pc"]).headers == {"usr/lib/odd name"}
    assert folders(tmp_path, ["bytes.pc"]).headers == {"usr/lib/b"}


def test_a_path_relative_to_the_file_itself_counts(tmp_path: Path) -> None:
    text = "prefix=${pcfiledir}/../..\nCflags: -I${prefix}/lib/x/include\n"
    write(tmp_path / "usr/lib/pkgconfig/x.pc", text)
    assert folders(tmp_path, ["usr/lib/pkgconfig/x.pc"]).headers == {"usr/lib/x/include"}
