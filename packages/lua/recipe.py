from quard.model import Make, Run, Source

RECIPE = Make(
    summary="Small language for programs to be extended with",
    version="5.4.7",
    sources=[
        Source(
            "https://www.lua.org/ftp/lua-{version}.tar.gz",
            sha256="9fbf5e28ef86c69858f6d3d34eccc32e911c1a28b4120ff3e84aaa70cfbf1e30",
            size=374097,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/l/lua5.4/lua5.4_{version}.orig.tar.gz"],
        )
    ],
    license="MIT",
    license_files=["src/lua.h"],
    homepage="https://www.lua.org",
    # Where it searches for modules.
    prepare=[Run("sed", "-i", "s|/usr/local/|{prefix}/|", "src/luaconf.h")],
    variables=[
        "CC={cross}gcc -std=gnu99",
        "AR={cross}ar rcu",
        "RANLIB={cross}ranlib",
        "MYCFLAGS={cflags} -g -fPIC",
        "SYSCFLAGS=-DLUA_USE_LINUX",
        "SYSLIBS=-Wl,-E -ldl",
    ],
    make=["-C", "src", "all"],
    install=["INSTALL_TOP={stage}{prefix}", "install"],
    drop=["usr/man"],
)
