from quard.model import Autotools, Config, Run, Service, Source, Symlink

RECIPE = Autotools(
    summary="Small secure shell server and client",
    version="2026.94",
    sources=[
        Source(
            "https://matt.ucc.asn.au/dropbear/releases/dropbear-{version}.tar.bz2",
            sha256="e098034a843699200c8c977a991fff73159735bf795d5f72ef672c41a6b1ae81",
            provenance="upstream's OpenPGP signature verified",
            mirrors=["debian:pool/main/d/dropbear/dropbear_{version}.orig.tar.bz2"],
        )
    ],
    services=[Service("dropbear", start=50, script="dropbear.init")],
    configs=[Config("dropbear.default", "etc/default/dropbear")],
    provides=["ssh-server"],
    conflicts=["ssh-server"],
    license="MIT AND BSD-2-Clause AND SSH-short AND Unlicense AND WTFPL",
    license_files=["LICENSE", "libtomcrypt/LICENSE", "libtommath/LICENSE"],
    homepage="https://matt.ucc.asn.au/dropbear/dropbear.html",
    prepare=[Run("cp", "{files}/localoptions.h", "localoptions.h")],
    configure=["--disable-zlib", "--disable-pam", "--disable-lastlog", "--disable-wtmp"],
    make=["MULTI=1", "PROGRAMS=dropbear dbclient dropbearkey scp"],
    install=["MULTI=1", "PROGRAMS=dropbear dbclient dropbearkey scp", "install"],
    finish=[Symlink("usr/bin/ssh", "dbclient")],
)
