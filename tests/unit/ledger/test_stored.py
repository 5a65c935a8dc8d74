"""Results on their way into the stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.ledger.results import LostResult
from quard.ledger.stored import Stored, keep
from quard.store import blob
from quard.store.local import Store
from quard.store.stores import Stores

KEY = "ab" * 32


def test_a_blob_that_goes_before_its_record_comes_is_a_lost_result(tmp_path: Path) -> None:
    """Somebody else empties the store: the package is made again, as for any lost part."""
    told: list[str] = []
    shared = Store(tmp_path / "shared", told.append)
    stores = Stores(Store(tmp_path / "local", told.append), shared)
    (tmp_path / "tree").mkdir()
    blob.pack(tmp_path / "tree", (), tmp_path / "new")
    sha256 = shared.add(tmp_path / "new")
    record = {
        "name": "greet",
        "plan": KEY,
        "local": False,
        "blobs": {"dev": sha256},
        "interface": {},
    }
    found = Stored(KEY, {}, record)
    shared.path(sha256).unlink()
    with pytest.raises(LostResult) as caught:
        keep(stores, "small/greet", found)
    assert caught.value.package == "small/greet"
    assert sha256 in caught.value.detail
    assert shared.record(KEY) is None
