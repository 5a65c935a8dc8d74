from quard.model import Custom, Install, Run

RECIPE = Custom(
    summary="Says hello in /run/greeter, as a service",
    version="1.0",
    license="MIT",
    build=[Run("{cross}gcc", "-O2", "-Wall", "-o", "greeter", "{files}/greeter.c")],
    install=[
        Install("greeter", "usr/sbin/greeter", mode="0755"),
        Install("{files}/S70greeter", "etc/init.d/S70greeter", mode="0755"),
    ],
)
