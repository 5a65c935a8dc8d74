from quard.model import Python, Source

RECIPE = Python(
    summary="Escapes texts for HTML and XML",
    version="3.0.4",
    sources=[
        Source(
            "pypi:markupsafe/markupsafe-{version}.tar.gz",
            sha256="2e9ad7dd851bf45fab9f75cbff4cb493fee9979e8d8c7c9c3ee119022518edd6",
            size=153777,
            provenance="the index of PyPI",
        )
    ],
    license="BSD-3-Clause",
    license_files=["LICENSE.txt"],
    homepage="https://markupsafe.palletsprojects.com",
    needs=["python3"],
    natives=["setuptools"],
    drop=["*/markupsafe/*.c", "*/markupsafe/*.pyi"],
)
