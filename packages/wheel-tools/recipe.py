from quard.model import Custom, Folder, Install

RECIPE = Custom(
    summary="Makes and installs wheels of Python projects, for the style Python",
    version="1",
    sources=[Folder("src")],
    license="Apache-2.0",
    runtime=["python3"],
    install=[
        Install("build.py", "usr/lib/wheel-tools/build.py"),
        Install("install.py", "usr/lib/wheel-tools/install.py"),
    ],
)
