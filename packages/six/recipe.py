from quard.model import Python, Source

RECIPE = Python(
    summary="Helps Python code to run with Python 2 and 3",
    version="1.17.0",
    sources=[
        Source(
            "pypi:six/six-{version}.tar.gz",
            sha256="ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81",
            size=34031,
            provenance="the index of PyPI",
        )
    ],
    license="MIT",
    license_files=["LICENSE"],
    homepage="https://github.com/benjaminp/six",
    natives=["setuptools"],
)
