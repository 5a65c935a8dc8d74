"""What single changes of the real board cost, and whether they give what a clean build gives.

A copy of the checkout is built (from the user's store where that has it, the kernel from nothing),
then changed once for each row. At the end a second copy, changed in the same ways at once, is built
without the first one's kept folders, and all image files are compared.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import checkout

_PATCH = """\
--- a/crypto/cversion.c
+++ b/crypto/cversion.c
@@ -1,2 +1,3 @@
+static volatile int one_more_byte_of_code __attribute__((used)) = 1;
 /*
  * Copyright 1995-2025 The OpenSSL Project Authors. All Rights Reserved.
"""
_KERNEL_LINE = ("CONFIG_DUMMY=y\n", "CONFIG_DUMMY=y\nCONFIG_MACVLAN=y\n")


def changes(board: str) -> dict[str, Any]:
    """Return for each row seconds, what was built, and its share of the clean build's time."""
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        # Both at once: whoever goes on working in the checkout meanwhile does no harm.
        first, second = (_Checkout(Path(folder) / name, board) for name in ("first", "second"))
        started = time.monotonic()
        first.build()
        kernel = first.build("linux-rebuild")["seconds"]
        rows: dict[str, Any] = {"clean kernel": kernel}
        for name, change in _ROWS.items():
            change(first.folder)
            summary = first.build()
            rows[name] = {
                "built": [row["name"] for row in summary["built"]],
                "images": summary["images"],
                "seconds": summary["seconds"],
            }
        rows["kernel line"]["of_clean"] = round(rows["kernel line"]["seconds"] / kernel, 3)
        for change in _ROWS.values():
            change(second.folder)
        clean = second.build()
        rows["clean_build_of_the_same"] = [row["name"] for row in clean["built"]]
        rows["identical"] = first.images() == second.images()
        rows["seconds"] = round(time.monotonic() - started)
    return rows


class _Checkout:
    def __init__(self, folder: Path, board: str) -> None:
        self.folder = folder
        self._board = board
        checkout.copy(folder)

    def build(self, *targets: str) -> Mapping[str, Any]:
        command = checkout.scons(self._board, *targets)
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(command)}\n{done.stdout}{done.stderr}")
        path = self.folder / "out" / self._board.partition("=")[2] / "summary.json"
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def images(self) -> dict[str, str]:
        folder = self.folder / "out" / self._board.partition("=")[2] / "images"
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.iterdir())
        }


def _nothing(_: Path) -> None:
    return


def _overlay(checkout: Path) -> None:
    (checkout / "rootfs/etc/issue").write_text("another greeting\n", encoding="utf-8")


def _openssl(checkout: Path) -> None:
    """Add code inside libcrypto; no symbol of it is exported."""
    (checkout / "packages/openssl/0001-inside.patch").write_text(_PATCH, encoding="utf-8")


def _kernel(checkout: Path) -> None:
    path = checkout / "packages/linux/quard-star.fragment"
    text = path.read_text(encoding="utf-8")
    assert _KERNEL_LINE[0] in text
    path.write_text(text.replace(*_KERNEL_LINE), encoding="utf-8")


def _removal(checkout: Path) -> None:
    path = checkout / "configs/quard-star.toml"
    text = path.read_text(encoding="utf-8")
    for line in ('    "ethtool",\n', 'ethtool.netlink = "if-available"\n'):
        assert line in text
        text = text.replace(line, "")
    path.write_text(text, encoding="utf-8")


_ROWS: Mapping[str, Callable[[Path], None]] = {
    "nothing": _nothing,
    "overlay": _overlay,
    "openssl's code": _openssl,
    "kernel line": _kernel,
    "ethtool removed": _removal,
}
