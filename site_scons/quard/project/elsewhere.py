"""The workers of a run, as the settings describe them."""

from __future__ import annotations

from quard.boards.settings import Settings
from quard.dispatch.workers import Service, Workers
from quard.face.console import Console
from quard.process.slots import Slots
from quard.process.stop import Stop
from quard.project.site import Site
from quard.project.tooling import Tooling
from quard.remote.credentials import Credentials
from quard.store.stores import Stores

HERE = "note: remote.execute has no effect: workers need sealed builds that use the pinned tools"


def workers(
    settings: Settings,
    site: Site,
    stores: Stores,
    tooling: Tooling,
    slots: Slots,
    stop: Stop,
    console: Console,
) -> Workers:
    """Return the workers of the server that the settings name."""
    remote, pinned = settings.remote, tooling.pinned
    assert remote is not None and pinned is not None
    service = Service(
        address=remote.url,
        credentials=Credentials(
            site.remote_token, remote.certificate, variable="QUARDROOT_REMOTE_TOKEN"
        ),
        queue=remote.queue,
        machine=site.machine,
    )
    return Workers(service, stores, pinned.python, slots, stop, console.warn)
