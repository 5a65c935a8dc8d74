"""quard.remote.cache on a machine whose disk does not take what a cache has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cache_machine
import cache_server
import pytest
from cache_machine import KEY, Machine
from cache_server import CacheServer

FULL_DISK = """\
import sys
from pathlib import Path

sys.path[:0] = sys.argv[3:]
from cache_machine import KEY, Machine
from quard.base.errors import QuardError

one = Machine(Path(sys.argv[1]), sys.argv[2])
libs = one.stores.record(KEY)["blobs"]["libs"]
for use in (one.stores.blob, lambda sha256: one.stores.gather([sha256])):
    try:
        use(libs)
    except QuardError as error:
        print(error.reason)
print(one.said, sorted(path.name for path in (one.shared.root / "tmp").iterdir()))
"""


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


def test_a_full_disk_is_named_as_such(state: CacheServer, tmp_path: Path) -> None:
    """A real one: a file system of 64 KiB in memory, which bubblewrap mounts without root."""
    bwrap = shutil.which("bwrap")
    base = [bwrap or "bwrap", "--bind", "/", "/", "--dev", "/dev"]
    if not bwrap or subprocess.run([*base, "true"], capture_output=True, check=False).returncode:
        pytest.skip("bubblewrap cannot make namespaces here, so there is no small file system")
    sender = Machine(tmp_path / "sender", state.base)
    sender.build(os.urandom(1 << 20))
    sender.remote.finish()
    small = tmp_path / "small"
    small.mkdir()
    code = Path(sys.modules["quard"].__path__[0]).parent, Path(cache_machine.__file__).parent
    done = subprocess.run(
        [*base, "--size", "65536", "--tmpfs", str(small),
         sys.executable, "-c", FULL_DISK, str(small), state.base, *map(str, code)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "disk-full\ndisk-full\n[] ['.lock']\n"


@pytest.mark.parametrize("name", ["away", "taken"])
def test_a_store_that_cannot_note_a_hit_is_one_line(
    state: CacheServer, tmp_path: Path, name: str
) -> None:
    """Its folder is not one, whatever the user may write; usually it is another user's."""
    Machine(tmp_path / "sender", state.base).send_one()
    reader = Machine(tmp_path / "m", state.base)
    reader.shared.root.mkdir(parents=True)
    (reader.shared.root / name).touch()
    assert reader.stores.record(KEY) is None
    asked = len(state.asked)
    assert reader.stores.record(KEY) is None and len(state.asked) == asked
    assert len(reader.said) == 1 and "noted here: " in reader.said[0]
    assert f"/shared/{name}" in reader.said[0]
