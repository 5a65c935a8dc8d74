from quard.model import Python, Source

RECIPE = Python(
    summary="Build backend of Python projects without compiled modules",
    version="3.12.0",
    sources=[
        Source(
            "pypi:flit-core/flit_core-{version}.tar.gz",
            sha256="18f63100d6f94385c6ed57a72073443e1a71a4acb4339491615d0f16d6ff01b2",
            size=53690,
            provenance="the index of PyPI",
        )
    ],
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    homepage="https://flit.pypa.io",
)
