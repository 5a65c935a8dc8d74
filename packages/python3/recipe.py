from quard.model import Autotools, Feature, ForBuild, Source, Symlink

RECIPE = Autotools(
    summary="The Python interpreter and its standard library",
    version="3.13.15",
    sources=[
        Source(
            "python:{version}/Python-{version}.tar.xz",
            sha256="1e66a7945a48390ee4c2a4268a0e4185884059a13c4aab6d148aa208deea4a76",
            size=23160540,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/p/python3.13/python3.13_{version}.orig.tar.xz"],
        )
    ],
    license="PSF-2.0",
    license_files=["LICENSE"],
    homepage="https://www.python.org",
    needs=["expat", "libffi", "zlib"],
    # Runs what a build runs of itself; its compiled modules are for its own minor version alone.
    natives=["python3"],
    features=[
        Feature(
            "bz2",
            summary="the module bz2",
            on=[],
            off=["py_cv_module__bz2=n/a"],
            needs=["bzip2"],
            default=True,
        ),
        Feature(
            "curses",
            summary="the modules curses and curses.panel",
            on=[],
            off=["py_cv_module__curses=n/a", "py_cv_module__curses_panel=n/a"],
            needs=["ncurses"],
            default=True,
        ),
        Feature(
            "lzma",
            summary="the module lzma",
            on=[],
            off=["py_cv_module__lzma=n/a"],
            needs=["xz"],
            default=True,
        ),
        Feature(
            "readline",
            summary="the module readline: history and editing at the prompt",
            on=["--with-readline=readline"],
            off=["--without-readline"],
            needs=["readline"],
            default=True,
        ),
        Feature(
            "ssl",
            summary="the module ssl, and the hashes of openssl in hashlib",
            on=[],
            off=["py_cv_module__ssl=n/a", "py_cv_module__hashlib=n/a"],
            needs=["openssl"],
            default=True,
        ),
    ],
    env=[
        ("CFLAGS_NODIST", "-fno-semantic-interposition"),
        ("LDFLAGS_NODIST", "-fno-semantic-interposition"),
        # What compiles the modules is one process that hashes the same way each time: which strings
        # it shares depends on that, and is seen in the compiled modules.
        ("PYTHONHASHSEED", "0"),
    ],
    configure=[
        "--with-build-python=python3",
        "--with-system-expat",
        "--without-system-libmpdec",
        "--without-ensurepip",
        "--without-static-libpython",
        "--disable-test-modules",
        "--enable-ipv6",
        # What a configure script asks the machine that it runs on.
        "ac_cv_file__dev_ptmx=yes",
        "ac_cv_file__dev_ptc=no",
        "ac_cv_aligned_required=no",
        "ac_cv_broken_sem_getvalue=no",
        "ac_cv_buggy_getaddrinfo=no",
        "ac_cv_pthread_system_supported=yes",
        "ac_cv_working_tzset=yes",
        # Modules whose libraries no package has.
        "py_cv_module__dbm=n/a",
        "py_cv_module__gdbm=n/a",
        "py_cv_module__sqlite3=n/a",
        "py_cv_module__tkinter=n/a",
        "py_cv_module__uuid=n/a",
    ],
    install=["COMPILEALL_OPTS=-j1", "install"],
    # Scripts ask for it by this name, too.
    finish=[Symlink("usr/bin/python", "python3")],
    drop=[
        "usr/bin/idle3*",
        "usr/lib/python3.13/__phello__",
        "usr/lib/python3.13/ensurepip",
        "usr/lib/python3.13/idlelib",
        # The language's reference, which help() quotes.
        "usr/lib/python3.13/pydoc_data",
        "usr/lib/python3.13/tkinter",
        "usr/lib/python3.13/turtle*",
        "usr/lib/python3.13/__pycache__/turtle*",
    ],
    # What configures, compiles modules and runs generators; the parser of XML is the one that it brings.
    for_build=ForBuild(
        needs=["zlib"],
        features=[],
        # It runs for some seconds: to optimize it would take longer than that saves.
        env=[("CFLAGS_NODIST", "-O1"), ("PYTHONHASHSEED", "0")],
        configure=[
            "--without-system-libmpdec",
            "--without-ensurepip",
            "--without-static-libpython",
            "--disable-shared",
            "--disable-test-modules",
            "py_cv_module__ctypes=n/a",
            "py_cv_module__dbm=n/a",
            "py_cv_module__gdbm=n/a",
            "py_cv_module__sqlite3=n/a",
            "py_cv_module__tkinter=n/a",
            "py_cv_module__uuid=n/a",
        ],
    ),
)
