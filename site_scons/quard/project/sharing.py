"""The remote cache of a run, as the settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quard.boards.settings import Settings
from quard.face.console import Console
from quard.project.site import Site
from quard.store.local import Store

if TYPE_CHECKING:
    from quard.remote.remote import RemoteCache


def remote_cache(settings: Settings, site: Site, console: Console) -> RemoteCache | None:
    """Return the remote cache; None if the settings name none, or no network may be used."""
    if not settings.cache_url or settings.offline:
        return None
    from quard.remote.remote import RemoteCache  # noqa: PLC0415 - most users have none

    store = Store(site.cache / "store", console.warn)
    push = settings.cache_push
    return RemoteCache(settings.cache_url, site.token, store, console.warn, push=push)
