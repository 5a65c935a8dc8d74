from quard.model import Custom, Run, Source, Symlink

RECIPE = Custom(
    summary="The C library musl: small, and static programs with it are small, too",
    version="1.2.6",
    sources=[
        Source(
            "https://musl.libc.org/releases/musl-{version}.tar.gz",
            sha256="d585fd3b613c66151fc3249e8ed44f77020cb5e6c1e635a616d3f9f82460512a",
            size=1082499,
            provenance="stated alike by the signed index of Debian's archive and by another project",
            mirrors=["debian:pool/main/m/musl/musl_{version}.orig.tar.gz"],
        )
    ],
    license="MIT",
    license_files=["COPYRIGHT"],
    homepage="https://musl.libc.org",
    c_library="musl",
    # Programs of musl systems include the kernel's headers as those of the C library.
    needs=["linux-headers"],
    exports=["linux-headers"],
    env=[("CROSS_COMPILE", "{cross}")],
    # It is compiled as freestanding code, which the driver does not protect; its makefile knows the
    # files that run before the protector does.
    configure=[
        Run(
            "./configure",
            "--target={triple}",
            "--prefix=/usr",
            "--syslibdir=/usr/lib",
            "--disable-wrapper",
            "CFLAGS={cflags} -g -fstack-protector-strong",
        ),
    ],
    build=[Run("make")],
    install=[Run("make", "DESTDIR={stage}", "install")],
    # The loader lists the libraries of a program if it has this name.
    finish=[Symlink("usr/bin/ldd", "../lib/libc.so")],
)
