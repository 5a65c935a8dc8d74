from quard.model import Config, Feature, Make, Service, Source

RECIPE = Make(
    summary="Name server and DHCP server for a small network",
    version="2.93",
    sources=[
        Source(
            "https://thekelleys.org.uk/dnsmasq/dnsmasq-{version}.tar.gz",
            sha256="cc967771abdafeb43d10db18932d6b59fd4bed2c69c22acf8cb96aff6920d55f",
            size=955434,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/d/dnsmasq/dnsmasq_{version}.orig.tar.gz"],
        )
    ],
    license="GPL-2.0-only OR GPL-3.0-only",
    license_files=["COPYING", "COPYING-v3"],
    homepage="https://thekelleys.org.uk/dnsmasq/doc.html",
    variables=["CC={cross}gcc", "CFLAGS={cflags} -g", "PREFIX={prefix}"],
    features=[
        Feature(
            "scripts",
            summary="run a program whenever a lease changes",
            on=["COPTS="],
            off=["COPTS=-DNO_SCRIPT"],
        ),
    ],
    install=["DESTDIR={stage}", "install"],
    services=[Service("dnsmasq", start=55, run=["/usr/sbin/dnsmasq", "--keep-in-foreground"])],
    configs=[Config("dnsmasq.conf", "etc/dnsmasq.conf")],
)
