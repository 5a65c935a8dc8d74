from quard.model import ForBuild, Meson, Source

RECIPE = Meson(
    summary="Data structures, an event loop, objects and access to files for programs in C",
    version="2.88.0",
    sources=[
        Source(
            "gnome:glib/2.88/glib-{version}.tar.xz",
            sha256="3546251ccbb3744d4bc4eb48354540e1f6200846572bab68e3a2b7b2b64dfd07",
            size=5788396,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/g/glib2.0/glib2.0_{version}.orig.tar.xz"],
        )
    ],
    license="LGPL-2.1-or-later",
    license_files=["COPYING"],
    homepage="https://gitlab.gnome.org/GNOME/glib",
    needs=["libffi", "pcre2", "zlib"],
    # The pkg-config files of its libraries refer to theirs.
    exports=["libffi", "pcre2", "zlib"],
    configure=["-Dglib_debug=disabled", "-Dlibmount=disabled", "-Dtests=false"],
    properties=[
        "have_c99_snprintf = true",
        "have_c99_vsnprintf = true",
        "have_proc_self_cmdline = true",
        "have_strlcpy = true",
        "have_unix98_printf = true",
    ],
    # What writes source code and descriptions of libraries runs on the build machine.
    drop=[
        "usr/bin/gdbus-codegen",
        "usr/bin/gi-*",
        "usr/bin/glib-compile-resources",
        "usr/bin/glib-genmarshal",
        "usr/bin/glib-gettextize",
        "usr/bin/glib-mkenums",
        "usr/bin/gtester*",
        "usr/share/gdb",
        "usr/share/gettext",
        "usr/share/glib-2.0/codegen",
        "usr/share/glib-2.0/gdb",
        "usr/share/glib-2.0/valgrind",
    ],
    for_build=ForBuild(drop=["usr/share/gdb", "usr/share/glib-2.0/gdb"]),
)
