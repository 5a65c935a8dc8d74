from quard.model import Python, Source

RECIPE = Python(
    summary="Build backend of Python projects with a setup.py or setup.cfg",
    version="80.9.0",
    sources=[
        Source(
            "pypi:setuptools/setuptools-{version}.tar.gz",
            sha256="f36b47402ecde768dbfafc46e8e4207b4360c654f1f3bb84475f0a28628fb19c",
            size=1319958,
            provenance="the index of PyPI",
        )
    ],
    license="MIT",
    license_files=["LICENSE"],
    homepage="https://setuptools.pypa.io",
    # Its own tests, and programs for another system.
    drop=[
        "*/pkg_resources/tests",
        "*/setuptools/*.exe",
        "*/setuptools/_distutils/tests",
        "*/setuptools/tests",
    ],
)
