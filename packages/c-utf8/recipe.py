from quard.model import Custom, Install, Run

RECIPE = Custom(
    summary="The locale C.UTF-8: programs read and show characters beyond ASCII",
    version="toolchain",
    license="LGPL-2.1-or-later",
    homepage="https://www.gnu.org/software/libc/",
    c_library="glibc",
    # The C library comes without it. The build machine has that of its own one, which is of the same
    # release as the cross compiler's; the data are alike on all little-endian processors.
    install=[
        Run("mkdir", "-p", "{stage}/usr/lib/locale"),
        Run("cp", "-R", "/usr/lib/locale/C.utf8", "{stage}/usr/lib/locale"),
        Install("{files}/lang.sh", "etc/profile.d/lang.sh"),
    ],
)
