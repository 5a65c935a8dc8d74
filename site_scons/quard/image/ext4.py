"""rootfs.ext4 and data.ext4, made reproducibly.

mke2fs of e2fsprogs makes an empty file system with every default pinned, and E2FSPROGS_FAKE_TIME as
its clock. It is not told to fill it: its version 1.47.0 cannot read a tar, and `-d FOLDER` takes
owners, times and the order of names from the build machine. The engine does that itself, in
`ext4_fill`.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.xattrs import room
from quard.image import tarimage
from quard.image.ext4_attributes import MOST_IN_INODE
from quard.image.ext4_extents import INLINE
from quard.image.ext4_fill import fill
from quard.image.ext4_groups import BLOCK, too_small
from quard.image.roottar import RootTar
from quard.image.tree import Node
from quard.image.write import USE, Use, run, scratch, tool_failed

_MIB = 1 << 20
_LEAST_MIB = 8
_NAMESPACE = uuid.UUID("d1d7f0f3-6a3f-5b1c-9a54-2f3c0e6b7a11")
_INODE_RATIO = 16384
"""Bytes of the file system per inode, mke2fs' default."""
_CONFIG = """\
[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	default_mntopts = acl,user_xattr
	enable_periodic_fsck = 0
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
"""
"""Replaces /etc/mke2fs.conf, which differs between machines."""
Tool = Callable[..., str]
"""Runs a program for one image: quard.image.write.run with the image's name for messages."""


def ext4(tar: RootTar, out: Path, *, size_mib: int | None, label: str, use: Use = USE) -> None:
    """Make an ext4 file system, with a journal, from rootfs.tar; the file is sparse.

    size_mib -- its size; None: 125 % of the content plus 8 MiB, in steps of 4 MiB
    label    -- of the file system, at most 16 bytes
    use      -- the tools that make it
    The UUID is derived from label and content. Raises QuardError: image-too-small, tool-missing,
    bad-tar, disk-full, image-tool, interrupted.
    """
    entries = tar.entries
    nodes = {name: node for name, (node, _) in entries.items()}
    for error in size_errors(nodes, size_mib):
        raise error
    size = _size(nodes, size_mib)
    identity = str(uuid.uuid5(_NAMESPACE, f"{label}\n{tar.sha256}"))
    with scratch(out) as folder:
        made = folder / out.name
        tool: Tool = functools.partial(run, out=out, use=use)
        # At least as many as the content and some growth need.
        inodes = max(size // _INODE_RATIO, len(entries) + len(entries) // 4 + 64)
        _format(tool, made, size=size, inodes=inodes, label=label, identity=identity)
        fill(made, tar, use.stop)
        made.replace(out)


def empty(out: Path, *, size_mib: int, label: str, use: Use = USE) -> None:
    """Make an empty ext4 file system with a journal; the file is sparse.

    size_mib -- at least 8, the minimum for a board's data disk
    The UUID is derived from label and size. Raises QuardError: tool-missing, disk-full, image-tool,
    interrupted.
    """
    size = size_mib * _MIB
    identity = str(uuid.uuid5(_NAMESPACE, f"{label}\n{size_mib}"))
    with scratch(out) as folder:
        made = folder / out.name
        tool: Tool = functools.partial(run, out=out, use=use)
        inodes = size // _INODE_RATIO
        _format(tool, made, size=size, inodes=inodes, label=label, identity=identity)
        made.replace(out)


def size_errors(nodes: Mapping[str, Node], size_mib: int | None) -> Iterator[QuardError]:
    """Yield an error image-too-small if the content of the nodes does not fit in `size_mib`."""
    if size_mib is None:
        return
    content = _content(nodes)
    if size_mib < _LEAST_MIB:
        yield too_small(f"{size_mib} MiB; below {_LEAST_MIB} there is no journal (mke2fs(8))")
    elif size_mib * _MIB <= content:
        yield too_small(f"the content takes {-(-content // _MIB)} MiB of {size_mib}")


def _content(nodes: Mapping[str, Node]) -> int:
    """Return the number of bytes in the blocks of files, folders and attributes."""
    blocks = 0
    for node in set(nodes.values()):
        if node.content is not None:
            blocks += -(-node.content.stored // BLOCK)
        blocks += node.kind == "directory" or len(node.target.encode()) >= INLINE
        blocks += room(node.attributes) > MOST_IN_INODE
    return blocks * BLOCK


def _size(nodes: Mapping[str, Node], size_mib: int | None) -> int:
    """Return the size of the file system in bytes."""
    if size_mib is not None:
        return size_mib * _MIB
    content, step = _content(nodes), 4 * _MIB
    return -(-(content + content // 4 + 8 * _MIB) // step) * step


def _format(tool: Tool, made: Path, *, size: int, inodes: int, label: str, identity: str) -> None:
    config = made.with_name("mke2fs.conf")
    config.write_text(_CONFIG, encoding="ascii")
    extended = (
        f"hash_seed={identity},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    )
    argv = [
        *("mke2fs", "-q", "-F", "-t", "ext4", "-T", "default", "-b", str(BLOCK), "-I", "256"),
        *("-N", str(inodes)),
        # A damaged inode affects only its own files, and e2fsck repairs it at the next boot. With
        # remount-ro, Linux 6.12 shuts down the whole file system: not even poweroff starts then.
        *("-m", "0", "-e", "continue", "-L", label, "-U", identity, "-E", extended),
        *(str(made), f"{size // 1024}k"),
    ]
    clock = str(tarimage.MTIME)
    text = tool(argv, env={"MKE2FS_CONFIG": str(config), "E2FSPROGS_FAKE_TIME": clock})
    if text:
        raise tool_failed("mke2fs", made, text)
