from quard.model import Config, Custom, Install, Run, Service

RECIPE = Custom(
    summary="Says hello in /run/greeter, as a service",
    version="1.0",
    license="MIT",
    build=[Run("{cross}gcc", "-O2", "-Wall", "-o", "greeter", "{files}/greeter.c")],
    install=[Install("greeter", "usr/sbin/greeter", mode="0755")],
    services=[Service("greeter", start=70, run=["/usr/sbin/greeter"])],
    configs=[Config("greeter.conf", "etc/greeter.conf")],
)
