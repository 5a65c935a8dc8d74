from quard.model import Install, Make, Run, Source

RECIPE = Make(
    summary="RISC-V firmware: what runs below the kernel and starts it",
    version="1.8.1",
    sources=[
        Source(
            "github:riscv-software-src/opensbi/archive/v{version}/opensbi-{version}.tar.gz",
            sha256="fb1ae61a85e966322101acb1c982f84d9eaafc4de7dd474a7d7546d9bb321c6f",
            size=514734,
            provenance="stated alike by the recipes of two distributions",
            mirrors=["debian:pool/main/o/opensbi/opensbi_{version}.orig.tar.gz"],
        )
    ],
    license="BSD-2-Clause",
    license_files=["COPYING.BSD", "ThirdPartyNotices.md"],
    homepage="https://github.com/riscv-software-src/opensbi",
    freestanding="firmware that runs below the kernel, without a C library",
    tools=["python3"],
    # Its defconfig is looked for below platform/generic/configs.
    prepare=[Run("cp", "{files}/quard-star.fragment", "quard-star.fragment")],
    variables=[
        "PLATFORM=generic",
        "PLATFORM_DEFCONFIG=../../../quard-star.fragment",
        "CROSS_COMPILE={cross}",
        "BUILD_INFO=n",
        "FW_JUMP=n",
        "FW_PAYLOAD=n",
    ],
    finish=[Install("build/platform/generic/firmware/fw_dynamic.bin", "boot/fw_dynamic.bin")],
)
