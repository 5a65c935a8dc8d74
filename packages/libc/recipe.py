from quard.model import ToolchainRuntime, Unhardened

RECIPE = ToolchainRuntime(
    summary="The C library that the cross compiler links against, as it runs on the target",
    version="toolchain",
    license="LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1",
    homepage="https://www.gnu.org/software/libc/",
    c_library="glibc",
    # Debian's makers link all of these without -z now.
    unhardened=[
        Unhardened("/usr/lib/*", lacks=["bind_now"], reason="linked by the toolchain's makers"),
    ],
    libraries=[
        "libatomic.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libnss_dns.so.2",
        "libnss_files.so.2",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libutil.so.1",
    ],
)
