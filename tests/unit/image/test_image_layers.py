"""Parts of packages that an earlier image was made from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import blob_parts
import image_parts as parts
import pytest

from quard.base.files import file_sha256
from quard.image import tarimage
from quard.image.content import Content
from quard.image.known import NAME
from quard.image.layers import Layer, Layers
from quard.image.overlay import scan
from quard.image.rootfs import RootfsJob, assemble
from quard.image.tree import Node
from quard.model import Permission

PACKAGES: dict[str, dict[str, Any]] = {
    "box": {
        "usr/bin/box": (b"all in one", 0o755),
        "usr/bin/cat": ("hard", "usr/bin/box"),
        "etc/motd": b"box\n",
        "opt": 0o700,
        "srv": 0o1777,
        "usr/share/" + "long" * 40: b"",
    },
    "web": {"usr/sbin/httpd": (b"httpd", 0o4755), "usr/sbin/web": "httpd"},
}


@pytest.fixture
def job(tmp_path: Path) -> RootfsJob:
    """A root whose layers have digests, and where to keep what is in them."""
    plain = parts.spec(tmp_path, PACKAGES)
    layers = tuple(
        dataclasses.replace(layer, sha256=file_sha256(layer.blob)) for layer in plain.layers
    )
    return parts.changed(plain, layers=layers, known=tmp_path / "kept" / NAME)


def made(job: RootfsJob, folder: Path) -> tuple[bytes, bytes]:
    """Return rootfs.tar and the manifest."""
    folder.mkdir(exist_ok=True)
    assemble(job, folder / "rootfs.tar", folder / "manifest.json").keep()
    return (folder / "rootfs.tar").read_bytes(), (folder / "manifest.json").read_bytes()


def anew(job: RootfsJob, folder: Path) -> tuple[bytes, bytes]:
    return made(parts.changed(job, known=None), folder / "anew")


def overlaid(job: RootfsJob, folder: Path, text: str) -> RootfsJob:
    """Return the job with an overlay that replaces a file of a package."""
    (folder / "overlay/etc").mkdir(parents=True, exist_ok=True)
    (folder / "overlay/etc/motd").write_text(text)
    return parts.changed(job, overlays=(scan("overlay", folder / "overlay"),))


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which contents are hashed from now on."""
    found: list[str] = []
    digest = Content.digest

    def noted(content: Content) -> str:
        if not content.sha256:
            found.append(content.path.name if content.path else "")
        return digest(content)

    monkeypatch.setattr(Content, "digest", noted)
    return found


def test_parts_of_the_last_image_are_neither_read_nor_hashed(
    job: RootfsJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(job, tmp_path / "one")
    assert first == anew(job, tmp_path)
    edited = overlaid(job, tmp_path, "edited\n")
    wanted = anew(edited, tmp_path)
    monkeypatch.setattr(tarimage, "read", lambda *_, **__: pytest.fail("a blob was read"))
    found = hashed(monkeypatch)
    assert made(edited, tmp_path / "two") == wanted
    assert not [name for name in found if name.endswith(".tar")]
    assert made(job, tmp_path / "one") == first


def facts(nodes: dict[str, Node]) -> dict[str, list[object]]:
    first: dict[Node, str] = {}
    return {
        path: [first.setdefault(node, path), *vars(dataclasses.replace(node, content=None)).items()]
        for path, node in nodes.items()
    }


def test_nodes_of_a_blob_are_the_same_as_read_from_it(tmp_path: Path) -> None:
    root = blob_parts.tree(tmp_path / "tree")
    blob, sha256 = blob_parts.blob_of(root, "packed")
    hole = parts.blob(tmp_path / "hole.tar", {"hole": bytes(5 << 20), "none": b""})
    for layer in (Layer("packed", blob, sha256), Layer("hole", hole, file_sha256(hole))):
        first = Layers(tmp_path / NAME)
        read = first.nodes(layer)
        digests = {node: node.content.digest() for node in read.values() if node.content}
        first.write(digests)
        known = Layers(tmp_path / NAME).nodes(layer)
        assert facts(known) == facts(read) and [*known] == [*read]
        for path, node in known.items():
            content = read[path].content
            assert (node.content is None) == (content is None)
            if node.content and content:
                assert node.content == dataclasses.replace(content, sha256=digests[read[path]])
                assert node.content.data_runs == content.data_runs


def test_what_an_image_changes_is_not_taken_for_what_is_in_the_blob(
    job: RootfsJob, tmp_path: Path
) -> None:
    before = anew(job, tmp_path)
    changes = (("web", Permission("/usr/sbin/httpd", "0700", "daemon", "daemon")),)
    other = parts.changed(job, permissions=changes)
    assert made(other, tmp_path / "one") == anew(other, tmp_path) != before
    assert made(job, tmp_path / "one") == before


def test_a_node_with_other_content_has_not_the_digest_of_the_blob(tmp_path: Path) -> None:
    blob = parts.blob(tmp_path / "a.tar", {"a": b"text"})
    layer = Layer("a", blob, file_sha256(blob))
    first = Layers(tmp_path / NAME)
    node = first.nodes(layer)["a"]
    node.content = Content(3, b"new")
    first.write({node: node.content.digest()})
    content = Layers(tmp_path / NAME).nodes(layer)["a"].content
    assert content and content.sha256 == "" and content.read() == b"text"


def test_the_digest_of_a_replaced_file_is_noted_when_it_is_in_an_image(
    job: RootfsJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(overlaid(job, tmp_path, "another\n"), tmp_path / "one")
    found = hashed(monkeypatch)
    assert made(job, tmp_path / "one") == anew(job, tmp_path)
    assert found.count("box.tar") == 1 + 3, "once here, and all of them anew"
    found.clear()
    made(job, tmp_path / "one")
    assert "box.tar" not in found


@pytest.mark.parametrize("how", parts.DAMAGE)
def test_a_damaged_file_of_what_is_known_is_as_none(
    job: RootfsJob, tmp_path: Path, how: str
) -> None:
    first = made(job, tmp_path / "one")
    assert job.known is not None
    before = job.known.read_bytes()
    parts.damage(job.known, how)
    assert made(job, tmp_path / "one") == first
    assert job.known.read_bytes() == before


def test_a_part_that_is_left_out_is_forgotten(job: RootfsJob, tmp_path: Path) -> None:
    made(job, tmp_path / "one")
    made(parts.changed(job, layers=job.layers[:1]), tmp_path / "one")
    assert job.known is not None
    text = job.known.read_text()
    assert [layer.sha256 in text for layer in job.layers] == [True, False, False]


def test_a_part_without_a_digest_is_read_each_time(
    job: RootfsJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = tuple(dataclasses.replace(layer, sha256="") for layer in job.layers)
    plain = parts.changed(job, layers=layers)
    first = made(plain, tmp_path / "one")
    read: list[Path] = []
    by_tarfile = tarimage.read

    def noted(path: Path, what: str, *, ours: bool) -> dict[str, tuple[Node, int]]:
        read.append(path)
        return by_tarfile(path, what, ours=ours)

    monkeypatch.setattr(tarimage, "read", noted)
    assert made(plain, tmp_path / "one") == first
    assert len(read) == len(layers)


def test_nothing_is_known_of_layers_that_are_not_verified_yet(
    job: RootfsJob, tmp_path: Path
) -> None:
    """They are verified while rootfs.tar is made: what was read may be damaged."""
    found = assemble(job, tmp_path / "rootfs.tar", tmp_path / "manifest.json")
    assert job.known is not None and not job.known.exists()
    found.keep()
    assert job.known.exists()
