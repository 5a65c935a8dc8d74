from quard.model import ByTarget, Install, Kconfig, Run, Source

RECIPE = Kconfig(
    summary="Boot loader: what starts the kernel, from a script",
    version="2025.01",
    sources=[
        Source(
            "https://ftp.denx.de/pub/u-boot/u-boot-{version}.tar.bz2",
            sha256="cdef7d507c93f1bbd9f015ea9bc21fa074268481405501945abc6f854d5b686f",
            size=32890299,
            provenance="Debian's archive has the same bytes under upstream's name",
            mirrors=["debian:pool/main/u/u-boot/u-boot_{version}.orig.tar.bz2"],
        )
    ],
    license="GPL-2.0-or-later",
    license_files=["Licenses/README", "Licenses/gpl-2.0.txt"],
    homepage="https://www.u-boot.org",
    freestanding="a boot loader, without a C library",
    tools=["bison", "flex"],
    variables=["CROSS_COMPILE={cross}"],
    base=ByTarget({"aarch64": "qemu_arm64_defconfig", "riscv64": "qemu-riscv64_smode_defconfig"}),
    fragments=["quard-star.fragment"],
    make=["u-boot.bin", "tools"],
    devicetrees=ByTarget({"aarch64": "arch/arm/dts", "riscv64": "arch/riscv/dts"}),
    blobs=False,
    finish=[
        Run("tools/mkimage", "-T", "script", "-C", "none", "-d", "{files}/boot.cmd", "boot.scr"),
        Install("boot.scr", "boot/boot.scr"),
        Install("u-boot.bin", "boot/u-boot.bin"),
    ],
)
