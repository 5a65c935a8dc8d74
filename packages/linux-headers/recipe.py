from quard.model import ToolchainRuntime

RECIPE = ToolchainRuntime(
    summary="The kernel's headers for programs, as the cross compiler comes with them",
    version="toolchain",
    license="GPL-2.0-only WITH Linux-syscall-note",
    homepage="https://www.kernel.org",
    # With glibc, programs see these where the compiler has them, beside glibc's own.
    c_library="musl",
    # Without scsi: its headers for programs are the C library's.
    headers=[
        "asm",
        "asm-generic",
        "drm",
        "linux",
        "misc",
        "mtd",
        "rdma",
        "sound",
        "video",
        "xen",
    ],
)
