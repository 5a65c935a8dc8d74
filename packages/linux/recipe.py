from quard.model import Alternate, ByTarget, Install, Kconfig, Run, Source

RECIPE = Kconfig(
    summary="The Linux kernel",
    version="6.12.107",
    sources=[
        Source(
            "kernel:linux/kernel/v6.x/linux-{version}.tar.xz",
            sha256="a5f8c5be3fde2d6d9ca14e9631642cf1f44487143f11059da730dcd5892e307a",
            provenance="upstream's sha256sums.asc, as quoted by one other project",
            alternates=[
                Alternate(
                    "debian:pool/main/l/linux/linux_{version}.orig.tar.xz",
                    sha256="efc76d3c78a5d65f42724118c437d11db1c9f6309a5f024ee9a8b1978fdc6919",
                    size=151398592,
                    differs="without six files and folders of other machines' drivers",
                ),
            ],
        )
    ],
    license="GPL-2.0-only WITH Linux-syscall-note",
    license_files=[
        "COPYING",
        "LICENSES/preferred/GPL-2.0",
        "LICENSES/exceptions/Linux-syscall-note",
    ],
    homepage="https://www.kernel.org",
    freestanding="the kernel: its Makefile and Kconfig choose its defences",
    tools=["bc", "bison", "flex"],
    env=[
        ("KBUILD_BUILD_HOST", "quardroot"),
        ("KBUILD_BUILD_TIMESTAMP", "1980-01-01 00:00:00 UTC"),
        ("KBUILD_BUILD_USER", "quardroot"),
        ("KBUILD_BUILD_VERSION", "1"),
    ],
    variables=["ARCH={linux_arch}", "CROSS_COMPILE={cross}", "WERROR=0"],
    base="allnoconfig",
    fragments=ByTarget(
        {
            "aarch64": ["quard-star.fragment", "aarch64.fragment"],
            "arm": ["quard-star.fragment", "arm.fragment"],
            "i686": ["quard-star.fragment", "x86.fragment", "i686.fragment"],
            "riscv64": ["quard-star.fragment", "riscv64.fragment"],
            "s390x": ["quard-star.fragment", "s390x.fragment"],
            "x86_64": ["quard-star.fragment", "x86.fragment", "x86_64.fragment"],
        }
    ),
    make=["{linux_image}"],
    modules=["modules"],
    modules_install=["INSTALL_MOD_PATH={stage}", "DEPMOD=true", "modules_install"],
    modules_finish=[
        Run("sh", "{files}/module-tree.sh", "{linux_arch}", "{stage}/usr/src/kernel.tar"),
    ],
    devicetrees="arch/{linux_arch}/boot/dts",
    provides=["kernel"],
    conflicts=["kernel"],
    finish=[
        Install("arch/{linux_arch}/boot/{linux_image}", "boot/{linux_image}"),
        Install("vmlinux", "usr/lib/debug/boot/vmlinux"),
    ],
)
