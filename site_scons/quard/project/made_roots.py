"""What people have to know about a root file system that was made."""

from __future__ import annotations

from collections.abc import Iterator

from quard.image import time64
from quard.image.assembled import Assembled
from quard.plan.resolved import Resolved
from quard.project.rooted import of_root


def notes(resolved: Resolved, made: Assembled) -> Iterator[str]:
    """Yield the notes on a root."""
    yield from (_unlinked(resolved, name) for name in made.unlinked)
    yield from (of_root(resolved.root.name, time64.note(path)) for path in made.static)


def _unlinked(resolved: Resolved, name: str) -> str:
    """Return the note on a package that is needed, and that nothing is linked with."""
    root = resolved.root.name
    users = resolved.graph.dependants(name)
    who = ", ".join(user for user in users if user in resolved.image)
    where = f"the image of {root}" if root else "the image"
    return (
        f"note: {name} is in {where} because of `needs` of {who}, and nothing there is linked"
        f" with its libraries: name it in `runtime` of the package that opens them or remove it"
    )
