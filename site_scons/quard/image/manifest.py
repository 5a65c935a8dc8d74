"""manifest.json: the origin and the facts of each path in the image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard.base import capabilities, xattrs
from quard.base.attributes import CAPABILITY
from quard.base.canonical import readable
from quard.image.tree import ROOT, Node, Tree
from quard.image.write import whole_file


def write(tree: Tree, path: Path) -> dict[Node, str]:
    """Write the manifest: absolute path -> its facts, sorted. Raises QuardError disk-full.

    Returns the SHA-256 of the content of each file.
    """
    nodes = dict.fromkeys(tree.nodes.values())
    digests = {node: node.content.digest() for node in nodes if node.content is not None}
    with whole_file(path) as file:
        file.write(readable(facts(tree, digests)).encode())
    return digests


def facts(tree: Tree, digests: Mapping[Node, str]) -> dict[str, dict[str, Any]]:
    """Return path -> package, type, mode (octal text), uid, gid and the facts of its type.

    `capabilities` and `xattrs` are there if a permission gives them. Files have size and sha256,
    links target, devices major and minor. `package` is the overlay's name for files of an overlay,
    "system" for paths from the tables; `replaces` names the package whose file an overlay replaced,
    `yielded_by` the packages that leave the path to this one. A folder of several packages belongs
    to the first one by name.
    """
    found = {"/": _access(ROOT, "system")}
    for path, node in sorted(tree.nodes.items()):
        entry = _access(node, tree.owners[path].name)
        if path in tree.replaced:
            entry["replaces"] = tree.replaced[path]
        if path in tree.yielded:
            entry["yielded_by"] = sorted(tree.yielded[path])
        if node.content is not None:
            entry |= {"size": node.content.size, "sha256": digests[node]}
        elif node.kind == "link":
            entry["target"] = node.target
        elif node.kind in ("char", "block"):
            entry |= {"major": node.device[0], "minor": node.device[1]}
        found[f"/{path}"] = entry
    return found


def _access(node: Node, owner: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "package": owner,
        "type": node.kind,
        "mode": f"{node.mode:04o}",
        "uid": node.uid,
        "gid": node.gid,
    }
    attributes = dict(node.attributes)
    if given := attributes.pop(CAPABILITY, b""):
        found["capabilities"] = capabilities.decode(given)
    if attributes:
        found["xattrs"] = {name: xattrs.text(value) for name, value in attributes.items()}
    return found
