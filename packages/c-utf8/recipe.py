from quard.model import ByTarget, Custom, Install, Run

RECIPE = Custom(
    summary="The locale C.UTF-8: programs read and show characters beyond ASCII",
    version="toolchain",
    license="LGPL-2.1-or-later",
    homepage="https://www.gnu.org/software/libc/",
    c_library="glibc",
    tools=ByTarget({"endian:big": ["localedef"], "*": []}),
    # Where localedef finds the definitions, which include others.
    env=ByTarget({"endian:big": [("I18NPATH", "/usr/share/i18n")], "*": []}),
    # The C library comes without it. The build machine has that of its own one, which is of the same
    # release as the cross compiler's; the data are alike on all little-endian processors. For others
    # they are made again from the same definitions, in the other byte order.
    install=ByTarget(
        {
            "endian:big": [
                Run("mkdir", "-p", "{stage}/usr/lib/locale"),
                Run(
                    "localedef",
                    "--no-archive",
                    "--big-endian",
                    "-i",
                    "/usr/share/i18n/locales/C",
                    "-f",
                    "UTF-8",
                    "{stage}/usr/lib/locale/C.utf8",
                ),
                Install("{files}/lang.sh", "etc/profile.d/lang.sh"),
            ],
            "*": [
                Run("mkdir", "-p", "{stage}/usr/lib/locale"),
                Run("cp", "-R", "/usr/lib/locale/C.utf8", "{stage}/usr/lib/locale"),
                Install("{files}/lang.sh", "etc/profile.d/lang.sh"),
            ],
        }
    ),
)
