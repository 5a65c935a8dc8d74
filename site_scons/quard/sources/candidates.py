"""The addresses at which a source is looked for, best first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from quard.plan.source import Request, Variant
from quard.sites import GIT
from quard.sources.archives import names
from quard.sources.attempt import Failed
from quard.sources.mirrors import Locations
from quard.sources.unfetched import Failure

_NO_ARCHIVE = (
    "apt has no index of a Debian archive (run apt-get update, or name one in [tools] mirrors)"
)


def candidates(
    request: Request,
    where: Locations,
    expand: Callable[[str], tuple[str, ...]],
    failures: list[Failure],
) -> Iterator[tuple[Variant, str]]:
    """Yield every address once, best first; those that cannot be tried go to `failures`.

    expand -- returns the addresses that an address of the recipe stands for; raises Failed
    """
    seen = set()
    for variant, origin in _origins(request, where):
        try:
            addresses = expand(origin)
        except Failed as fault:
            failures.append(Failure(origin, str(fault), variant))
            continue
        if not addresses:
            failures.append(Failure(origin, _NO_ARCHIVE, variant))
        for address in addresses:
            if (variant, address) in seen:
                continue
            seen.add((variant, address))
            if where.offline and not address.startswith(("file:", f"{GIT}file:")):
                failures.append(Failure(address, "not tried: offline", variant))
            else:
                yield variant, address


def _origins(request: Request, where: Locations) -> Iterator[tuple[Variant, str]]:
    for folder in where.folders:
        for variant in request.variants:
            for name in names(variant):
                path = folder.absolute() / name
                if path.is_file():
                    yield variant, path.as_uri()
    for variant in request.variants:
        for address in variant.addresses:
            yield variant, address
    for variant in request.variants:
        for address in where.mirrored(variant.file):
            yield variant, address
