"""Reading ext4 images with the tools of e2fsprogs, and making one as debugfs would."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quard.image import ext4, tarimage
from quard.image.roottar import RootTar
from quard.image.tree import Node
from quard.process.stop import Stop

ENV = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PAGER": "cat"}
NOTHING_WRONG = """\
Pass 1: Checking inodes, blocks, and sizes
Pass 2: Checking directory structure
Pass 3: Checking directory connectivity
Pass 4: Checking reference counts
Pass 5: Checking group summary information
"""


def tool(*argv: str, **more: str) -> str:
    done = subprocess.run(argv, env=ENV | more, check=False, capture_output=True)
    assert done.returncode == 0, done
    return done.stdout.decode(errors="surrogateescape")


def check(image: Path) -> None:
    """Fail unless e2fsck finds nothing at all to say."""
    text = tool("e2fsck", "-f", "-n", str(image))
    assert text.removeprefix("\n").startswith(NOTHING_WRONG), text
    assert len(text.strip().splitlines()) == 6, text


def made(folder: Path, nodes: Mapping[str, Node], size_mib: int | None = None) -> Path:
    """Make an image of nodes, and check it."""
    tarimage.write(nodes, folder / "t.tar")
    ext4.ext4(RootTar(folder / "t.tar"), folder / "i.ext4", size_mib=size_mib, label="rootfs")
    check(folder / "i.ext4")
    return folder / "i.ext4"


def commands(image: Path, lines: Iterable[str], *options: str, **more: str) -> list[str]:
    """Return what debugfs says to each command."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as script:
        script.write("".join(f"{line}\n" for line in lines))
        script.flush()
        text = tool("debugfs", *options, "-f", script.name, str(image), **more)
    return text.split("debugfs: ")[1:]


def quoted(text: str) -> str:
    """Quote for debugfs, whose only escape is a doubled quotation mark."""
    return '"' + text.replace('"', '""') + '"'


_PLACES = re.compile(r"(\((?:ETB\d+|[\d-]+)\)):[\d-]+")


def stats(image: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return all of each inode but its checksum and where its blocks are."""
    paths = [*paths]
    found = {}
    texts = commands(image, (f"stat {quoted('/' + path)}" for path in paths))
    for path, text in zip(paths, texts, strict=True):
        lines = text.partition("\n")[2].splitlines()
        kept = (line for line in lines if not line.startswith("Inode checksum"))
        text = _PLACES.sub(r"\1", "\n".join(kept))  # noqa: PLW2901 - the same, cleaned
        found[path] = re.sub(r"File ACL: [1-9]\d*", "File ACL: a block", text)
    return found


def by_debugfs(made: Path, tar: RootTar, stop: Stop) -> None:
    """Do with debugfs what quard.image.ext4_fill.fill does."""
    del stop
    with tempfile.TemporaryDirectory() as contents:
        said = commands(made, _script(tar, Path(contents)), "-w", E2FSPROGS_FAKE_TIME="1")
    assert all(len(text.splitlines()) == 1 or "llocated inode" in text for text in said), said


def _script(tar: RootTar, contents: Path) -> Iterator[str]:
    first: dict[Node, str] = {}
    links: dict[Node, int] = {}
    here = ""
    for number, (name, (node, mtime)) in enumerate(tar.entries.items()):
        parent, _, base = name.rpartition("/")
        path = quoted(f"/{name}")
        if parent != here:
            here = parent
            yield f"cd {quoted('/' + parent)}"
        links[node] = links.get(node, 0) + 1
        if node in first:
            yield f"ln {first[node]} {path}"
            yield f"sif {first[node]} links_count {links[node]}"
            continue
        first[node] = path
        yield _makes(node, quoted(base), contents / str(number))
        yield f"sif {path} mode 0{node.st_mode:o}"
        yield f"sif {path} uid {node.uid}"
        yield f"sif {path} gid {node.gid}"
        yield f"sif {path} mtime @{mtime}"
        for index, (attribute, value) in enumerate(node.attributes):
            source = contents / f"{number}.{index}"
            source.write_bytes(value)
            yield f"ea_set -f {source} {path} {attribute}"


def _makes(node: Node, name: str, source: Path) -> str:
    if node.content is not None:
        node.content.copy_to(source)
        return f"write {source} {name}"
    match node.kind:
        case "directory":
            return f"mkdir {name}"
        case "link":
            return f"symlink {name} {quoted(node.target)}"
        case "char" | "block":
            return f"mknod {name} {node.kind[0]} {node.device[0]} {node.device[1]}"
    return f"mknod {name} p"
