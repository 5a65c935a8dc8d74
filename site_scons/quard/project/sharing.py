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
    """Return the remote cache; None if the settings name none, or no network may be used.

    Raises QuardError tool-missing if signatures are wanted and cannot be checked or made.
    """
    if not settings.cache_url or settings.offline:
        return None
    # Most users have no remote cache.
    from quard.remote.credentials import Credentials  # noqa: PLC0415
    from quard.remote.remote import RemoteCache  # noqa: PLC0415
    from quard.remote.signatures import Signatures  # noqa: PLC0415

    store = Store(site.cache / "store", console.warn)
    credentials = Credentials(site.token, settings.cache_certificate, settings.cache_s3_region)
    push = settings.cache_push
    signatures = Signatures(settings.cache_trust, settings.cache_sign, site.search, site.agent)
    signatures.require()
    return RemoteCache(settings.cache_url, credentials, store, signatures, console.warn, push=push)
