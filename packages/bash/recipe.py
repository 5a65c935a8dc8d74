from quard.model import Alternate, Autotools, Install, Source

RECIPE = Autotools(
    summary="The GNU shell, for people who log in",
    version="5.3",
    sources=[
        Source(
            "gnu:bash/bash-{version}.tar.gz",
            sha256="0d5cd86965f869a26cf64f4b71be7b96f90a3ba8b3d74e27e8e9d9d5550f31ba",
            provenance="stated alike by the recipes of several distributions",
            alternates=[
                Alternate(
                    "debian:pool/main/b/bash/bash_{version}.orig.tar.xz",
                    sha256="a70de6bb41f5e192534a5a1836b1d7fad9a8d4818a6e1506d70f38441552c17a",
                    size=5571836,
                    differs="without some documents",
                ),
            ],
        )
    ],
    license="GPL-3.0-or-later",
    license_files=["COPYING"],
    homepage="https://www.gnu.org/software/bash/",
    needs=["ncurses", "readline"],
    configure=[
        "--without-bash-malloc",
        "--with-installed-readline",
        "--with-curses",
        "--disable-rpath",
        "bash_cv_getcwd_malloc=yes",
        "bash_cv_job_control_missing=present",
        "bash_cv_sys_named_pipes=present",
        "bash_cv_func_sigsetjmp=present",
        "bash_cv_printf_a_format=yes",
        "bash_cv_wcwidth_broken=no",
    ],
    make=["bash"],
    install=[],
    finish=[Install("bash", "usr/bin/bash", mode="0755")],
)
