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
    # The C library opens the others of these by name: to end a thread, and to look up names.
    libraries=["libc.so.6", "libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2"],
    on_demand=[
        "libatomic.so.1",
        "libdl.so.2",
        "libgomp.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
    ],
)
