"""What a person edits many times a day, in a copy of the project: an overlay, openssl's code."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.running import Cost, shown
from bench.subject import Subject

_PATCH = """\
--- a/crypto/cversion.c
+++ b/crypto/cversion.c
@@ -1,2 +1,3 @@
+static volatile int bench_{number} __attribute__((used)) = 1;
 /*
  * Copyright 1995-2025 The OpenSSL Project Authors. All Rights Reserved.
"""


def overlay(subject: Subject, runs: int) -> dict[str, Any]:
    """Return what an edit costs until all images are made, in turn with null builds."""
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        subject.copy(copy)
        subject.build(copy)
        edits: list[Cost] = []
        nulls: list[Cost] = []
        for number in range(runs):
            (copy / "rootfs/etc/issue").write_text(f"greeting {number}\n", encoding="utf-8")
            edits.append(subject.build(copy))
            subject.require(copy, built=0)
            images = list(subject.summary(copy)["images"])
            nulls.append(subject.build(copy))
            if subject.summary(copy)["images"]:
                raise SystemExit("bench: a build after an edit made the images again")
    return {"images": images, "edit": shown(edits), "null": shown(nulls)}


def openssl(subject: Subject, runs: int) -> dict[str, Any]:
    """Return what a change of code inside libcrypto costs beyond openssl's own build.

    Each change is new: the first build of each has not been in any store.
    """
    totals: list[Cost] = []
    own: list[float] = []
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        subject.copy(copy)
        subject.build(copy)
        for number in range(runs):
            text = _PATCH.format(number=f"{Path(folder).name.rpartition('-')[2]}_{number}")
            (copy / "packages/openssl/0001-inside.patch").write_text(text, encoding="utf-8")
            totals.append(subject.build(copy))
            subject.require(copy, built=1)
            own.append(subject.summary(copy)["built"][0]["seconds"])
    more = [cost.seconds - seconds for cost, seconds in zip(totals, own, strict=True)]
    return {
        "total": shown(totals),
        "own_build_seconds": round(statistics.median(own), 2),
        "beyond_it_seconds": round(statistics.median(more), 2),
    }
