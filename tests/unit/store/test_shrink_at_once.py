"""quard.store.shrink while other processes shrink and use the same store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import quard

ENGINE = Path(quard.__path__[0]).parent
FILL = """\
for number in range(150):
    blobs = {}
    for part in ("libs", "log"):
        with store.scratch() as folder:
            (folder / "x").write_bytes(f"{part} {number}".encode())
            blobs[part] = store.add(folder / "x")
    key = hashlib.sha256(str(number).encode()).hexdigest()
    store.put_record(key, {"plan": "ab" * 32, "blobs": blobs, "interface": {}})
    taken.note(store.root, key, blobs.values())
    away.note(key, 5)
"""
SHRINK = """\
later = time.time() + 200 * 24 * 3600
print("ready", flush=True)
sys.stdin.readline()
shrink(store, 0, later)
remove_old(store.root, later)
"""
START = """\
import hashlib
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from quard.remote.away import Away, remove_old
from quard.store import taken
from quard.store.local import Store
from quard.store.shrink import shrink

store = Store(Path(sys.argv[1]))
away = Away(store.root, "http://server/x")
"""
AT_ONCE, ROUNDS = 4, 3


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    words = (sys.executable, "-c", START + code, str(folder), str(ENGINE))
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str], said: str = "") -> None:
    out, err = process.communicate(said, timeout=120)
    assert (process.returncode, out, err) == (0, "", "")


def test_several_may_shrink_one_store_at_once(tmp_path: Path) -> None:
    for _ in range(ROUNDS):
        end(start(FILL, tmp_path))
        assert any(path.is_file() for path in (tmp_path / "cas").rglob("*"))
        several = [start(SHRINK, tmp_path) for _ in range(AT_ONCE)]
        for process in several:
            assert process.stdout and process.stdout.readline() == "ready\n"
        for process in several:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for process in several:
            end(process)
        kinds = ("cas", "ac", "taken", "away")
        left = [path for kind in kinds for path in (tmp_path / kind).rglob("*") if path.is_file()]
        assert left == []
        assert os.listdir(tmp_path / "tmp") == [".lock"]
