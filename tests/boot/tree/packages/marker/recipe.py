from quard.model import Custom, Install, Run

RECIPE = Custom(
    summary="Marks the numbers of a text that it gets over D-Bus",
    version="1.0",
    license="MIT",
    needs=("glib",),
    natives=("glib",),
    tools=("python3",),
    build=(
        Run(
            "gdbus-codegen",
            "--c-namespace=Test",
            "--interface-prefix=test.",
            "--generate-c-code=bus",
            "{files}/marker.xml",
        ),
        Run(
            "sh",
            "-c",
            "{cross}gcc -O2 -Wall -I. -o marker {files}/marker.c bus.c"
            " $(pkg-config --cflags --libs gio-unix-2.0)",
        ),
    ),
    install=(Install("marker", "usr/bin/marker", mode="0755"),),
)
