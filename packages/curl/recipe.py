from quard.model import Autotools, Feature, Source

RECIPE = Autotools(
    summary="Transfers files over HTTP, FTP and other protocols",
    version="8.21.0",
    sources=[
        Source(
            "https://curl.se/download/curl-{version}.tar.gz",
            sha256="d9b327997999045a24cda50f3983e69e51c516bd8be6ef9842fc7f99135e33bb",
            size=4298225,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/c/curl/curl_{version}.orig.tar.gz"],
        )
    ],
    license="curl",
    license_files=["COPYING"],
    homepage="https://curl.se",
    # The pkg-config file of its library refers to theirs.
    exports=["openssl", "zlib", "zstd"],
    features=[
        Feature(
            "openssl",
            summary="encrypted connections",
            on=["--with-openssl", "--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt"],
            off=["--without-ssl"],
            needs=["openssl"],
            runtime=["ca-certificates"],
            default=True,
        ),
        Feature(
            "zlib",
            summary="receive compressed",
            on=["--with-zlib"],
            off=["--without-zlib"],
            needs=["zlib"],
            default=True,
        ),
        Feature(
            "zstd",
            summary="receive what zstd has compressed",
            on=["--with-zstd"],
            off=["--without-zstd"],
            needs=["zstd"],
        ),
    ],
    configure=[
        "--disable-docs",
        "--disable-ldap",
        "--disable-manual",
        "--enable-threaded-resolver",
        "--without-brotli",
        "--without-libgsasl",
        "--without-libidn2",
        "--without-libpsl",
        "--without-libssh2",
        "--without-nghttp2",
    ],
    drop=["usr/bin/curl-config", "usr/bin/wcurl", "usr/share/aclocal"],
)
