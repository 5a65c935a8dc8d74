"""Who has the paths that several install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quard.face.paths import contested

ENTRIES = {
    "/etc/less": {"package": "files", "replaces": "less"},
    "/usr/bin/less": {"package": "less", "yielded_by": ["box", "tiny"]},
    "/usr/bin/ls": {"package": "box"},
}
NOTHING: dict[str, list[str]] = {"yielded": [], "won": [], "replaced": []}


def test_each_side_of_a_path_is_told(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(ENTRIES))
    assert contested(manifest, "box") == {**NOTHING, "yielded": ["/usr/bin/less (to less)"]}
    assert contested(manifest, "less") == {
        "yielded": [],
        "won": ["/usr/bin/less (from box, tiny)"],
        "replaced": ["/etc/less (by files)"],
    }
    assert contested(manifest, "other") == NOTHING


@pytest.mark.parametrize("text", [None, "", '{"/etc'])
def test_without_a_whole_manifest_nothing_is_told(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    assert contested(tmp_path / "manifest.json", "box") == NOTHING
