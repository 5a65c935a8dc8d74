from quard.model import Custom, Feature, Permission, Run, Source

RECIPE = Custom(
    summary="TLS and cryptography: libssl, libcrypto and the openssl command",
    version="3.5.7",
    sources=[
        Source(
            "github:openssl/openssl/releases/download/openssl-{version}/openssl-{version}.tar.gz",
            sha256="a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
            size=53153930,
            provenance="upstream's OpenPGP signature of 2026-06-09 verified",
            mirrors=[
                "https://openssl-library.org/source/openssl-{version}.tar.gz",
                "debian:pool/main/o/openssl/openssl_{version}.orig.tar.gz",
            ],
        )
    ],
    license="Apache-2.0",
    license_files=["LICENSE.txt"],
    homepage="https://www.openssl.org",
    features=[
        Feature(
            "zlib",
            summary="compression of TLS records and CMS, loaded when it is asked for",
            on=["zlib-dynamic"],
            off=["no-zlib"],
            needs=["zlib"],
            runtime=["zlib"],
        ),
    ],
    configure=[
        Run(
            "./Configure",
            "{openssl.target}",
            "--prefix={prefix}",
            "--libdir=lib",
            "--openssldir=/etc/ssl",
            "--cross-compile-prefix={cross}",
            "shared",
            "threads",
            "no-docs",
            "no-engine",
            "no-legacy",
            "no-module",
            "no-tests",
            # What only the legacy provider offers, which is not built.
            "no-bf",
            "no-cast",
            "no-idea",
            "no-md4",
            "no-mdc2",
            "no-rc2",
            "no-rc4",
            "no-seed",
            "no-whirlpool",
        ),
    ],
    # Without LIBS the 825 objects of static libraries that nobody ships are not compiled.
    build=[Run("make", "LIBS=", "build_sw")],
    install=[
        Run("make", "LIBS=", "INSTALL_LIBS=", "DESTDIR={stage}", "install_sw", "install_ssldirs"),
    ],
    permissions=[Permission("/etc/ssl/private", mode="0700")],
    drop=[
        "etc/ssl/*.dist",
        "etc/ssl/misc",
        "usr/bin/c_rehash",
        "usr/lib/cmake",
        # Empty, as there are no modules.
        "usr/lib/engines-3",
        "usr/lib/ossl-modules",
    ],
)
