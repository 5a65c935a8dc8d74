from quard.model import Custom, Install, Source

RECIPE = Custom(
    summary="The certificate authorities that Mozilla trusts, for encrypted connections",
    version="2026.10.18",
    sources=[
        # The project certifi publishes Mozilla's list.
        Source(
            "pypi:certifi/certifi-{version}.tar.gz",
            sha256="b9995d97b64d0431a5af837d8ca8cd6238104d1f319f04bd93ea43124d6c861e",
            size=135227,
            provenance="the index of PyPI",
        )
    ],
    license="MPL-2.0",
    license_files=["LICENSE"],
    homepage="https://github.com/certifi/python-certifi",
    install=[Install("certifi/cacert.pem", "etc/ssl/certs/ca-certificates.crt")],
)
