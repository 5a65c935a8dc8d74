"""The local store: what it hands out is right, whoever else uses, damages or kills it."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.base.files import sha256_of
from quard.store import local
from quard.store.local import Store
from quard.store.record import decode_record, encode_record

KEY = "ab" * 32
CODE = str(Path(sys.modules["quard"].__path__[0]).parent)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def put(store: Store, tmp_path: Path, data: bytes) -> str:
    file = tmp_path / f"new-{threading.get_ident()}"
    file.write_bytes(data)
    return store.add(file)


def damage(store: Store, sha256: str) -> None:
    store.path(sha256).chmod(0o644)
    store.path(sha256).write_bytes(b"a lie")


def record(**blobs: str) -> dict[str, Any]:
    return {"plan": "cd" * 32, "blobs": blobs, "interface": {"files": {}}, "seconds": 3}


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_blob_moves_in_under_its_hash_and_cannot_be_written(store: Store, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"data").hexdigest()
    assert not store.has(sha256)
    assert put(store, tmp_path, b"data") == sha256
    assert store.has(sha256)
    assert store.verify(sha256)
    assert store.path(sha256) == tmp_path / "store/cas" / sha256[:2] / sha256
    assert stat.S_IMODE(store.path(sha256).stat().st_mode) == 0o444
    assert files(tmp_path) == [f"store/cas/{sha256[:2]}/{sha256}", "store/tmp/.lock"]


def test_adding_again_repairs_a_damaged_blob(store: Store, tmp_path: Path) -> None:
    sha256 = put(store, tmp_path, b"data")
    damage(store, sha256)
    assert put(store, tmp_path, b"data") == sha256
    assert store.verify(sha256)


def test_a_wrong_blob_is_removed_when_noticed(store: Store, tmp_path: Path) -> None:
    sha256 = put(store, tmp_path, b"data")
    damage(store, sha256)
    assert not store.verify(sha256)
    assert not store.path(sha256).exists()
    assert not store.verify(sha256)


def test_a_link_in_place_of_a_blob_is_not_followed(store: Store, tmp_path: Path) -> None:
    sha256 = put(store, tmp_path, b"data")
    store.path(sha256).rename(tmp_path / "elsewhere")
    store.path(sha256).symlink_to(tmp_path / "elsewhere")
    assert not store.verify(sha256)
    assert (tmp_path / "elsewhere").read_bytes() == b"data"


def test_a_good_blob_that_took_a_wrong_ones_place_stays(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process adds the right blob between the reading and the removal of the wrong one."""
    sha256 = put(store, tmp_path, b"data")
    damage(store, sha256)
    real = sha256_of

    def slow(handle: int) -> str:
        digest = real(handle)
        monkeypatch.setattr(local, "sha256_of", real)
        put(store, tmp_path, b"data")
        return digest

    monkeypatch.setattr(local, "sha256_of", slow)
    assert not store.verify(sha256)
    assert store.verify(sha256)


@pytest.mark.parametrize("name", ["", "ab", "../../etc/passwd", "AB" * 32, "ab" * 32 + "\n"])
def test_what_is_no_hash_never_becomes_a_path(store: Store, name: str) -> None:
    for call in (store.path, store.record, lambda key: store.put_record(key, record())):
        with pytest.raises(ValueError, match="not"):
            call(name)


def test_only_files_are_added(store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    for path in (tmp_path / "link", tmp_path):
        with pytest.raises(ValueError, match="not a file"):
            store.add(path)


def test_a_file_of_another_file_system_is_moved_too(store: Store, tmp_path: Path) -> None:
    other = Path("/dev/shm") / f"quard-test-{os.getpid()}"
    if not other.parent.is_dir() or other.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second file system at /dev/shm")
    other.write_bytes(b"data")
    sha256 = store.add(other)
    assert store.verify(sha256)
    assert not other.exists()


def test_a_record_comes_back(store: Store, tmp_path: Path) -> None:
    assert store.record(KEY) is None
    expected = record(runtime=put(store, tmp_path, b"r"), dev=put(store, tmp_path, b"d"))
    store.put_record(KEY, expected)
    assert store.record(KEY) == expected
    assert store.record("cd" * 32) is None
    store.put_record(KEY, expected | {"seconds": 4})
    again = store.record(KEY)
    assert again is not None
    assert again["seconds"] == 4
    assert list((tmp_path / "store/tmp").iterdir()) == [tmp_path / "store/tmp/.lock"]


def test_the_file_of_a_record_depends_on_its_content_only(tmp_path: Path) -> None:
    content = []
    for name in ("one", "two"):
        store = Store(tmp_path / name)
        store.put_record(KEY, record(log=put(store, tmp_path, b"x")))
        content.append((tmp_path / name / "ac/ab" / f"{KEY}.json").read_bytes())
    assert content[0] == content[1]
    assert str(tmp_path).encode() not in content[0]


def test_a_record_does_not_need_its_blobs_but_a_new_one_does(store: Store, tmp_path: Path) -> None:
    good, bad = put(store, tmp_path, b"good"), put(store, tmp_path, b"bad")
    store.put_record(KEY, record(runtime=good, dev=bad))
    store.path(bad).unlink()
    assert store.record(KEY) is not None
    assert store.missing([good, bad]) == {bad}
    with pytest.raises(QuardError) as caught:
        store.put_record(KEY, record(runtime=good, dev=bad))
    assert caught.value.reason == "missing-blob"


def test_a_dropped_record_is_gone_and_need_not_have_been_there(
    store: Store, tmp_path: Path
) -> None:
    store.drop(KEY)
    store.put_record(KEY, record(runtime=put(store, tmp_path, b"r")))
    store.drop(KEY)
    assert store.record(KEY) is None


def test_every_damaged_record_is_none(store: Store, tmp_path: Path) -> None:
    store.put_record(KEY, record(runtime=put(store, tmp_path, b"r")))
    place = tmp_path / "store/ac/ab" / f"{KEY}.json"
    data = place.read_bytes()
    for at in range(0, len(data), 3):
        place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert store.record(KEY) is None, at
        place.write_bytes(data[:at])
        assert store.record(KEY) is None, at
    place.write_bytes(data)
    assert store.record(KEY) is not None


def test_a_record_under_another_key_is_none(store: Store, tmp_path: Path) -> None:
    store.put_record(KEY, record(runtime=put(store, tmp_path, b"r")))
    other = "cd" * 32
    (tmp_path / "store/ac/cd").mkdir()
    (tmp_path / "store/ac/ab" / f"{KEY}.json").rename(tmp_path / "store/ac/cd" / f"{other}.json")
    assert store.record(other) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"plan": "x", "blobs": {}, "interface": {}},
        {"plan": "cd" * 32, "blobs": {"dev": "../../etc/passwd"}, "interface": {}},
        {"plan": "cd" * 32, "blobs": {"dev": 1}, "interface": {}},
        {"plan": "cd" * 32, "blobs": [], "interface": {}},
        {"plan": "cd" * 32, "blobs": {}},
    ],
)
def test_other_shapes_are_no_records_even_when_signed(store: Store, wrong: dict[str, Any]) -> None:
    assert decode_record(KEY, encode_record(KEY, wrong)) is None
    with pytest.raises(ValueError, match="not the record"):
        store.put_record(KEY, wrong)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b"1e999"])
def test_garbage_is_no_record(data: bytes) -> None:
    assert decode_record(KEY, data) is None


def test_floats_and_other_foreign_values_are_no_record() -> None:
    envelope = json.loads(encode_record(KEY, record()))
    envelope["record"]["seconds"] = 1.5
    assert decode_record(KEY, json.dumps(envelope).encode()) is None


def test_a_record_of_a_blob_that_was_never_added_is_refused(store: Store) -> None:
    with pytest.raises(QuardError) as caught:
        store.put_record(KEY, record(runtime="ef" * 32))
    assert caught.value.reason == "missing-blob"
    assert store.record(KEY) is None


def test_scratch_is_gone_afterwards_whatever_happened(store: Store, tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "a/b").mkdir(parents=True)
        (folder / "a/b/file").write_text("x")
        (folder / "a/link").symlink_to(tmp_path)
        (folder / "a/b").chmod(0o500)
        (folder / "a").chmod(0o100)

    with store.scratch() as folder:
        fill(folder)
    assert not folder.exists()
    with pytest.raises(KeyboardInterrupt), store.scratch() as folder:
        fill(folder)
        raise KeyboardInterrupt
    assert not folder.exists()
    assert tmp_path.exists()


def test_scratch_lies_where_adding_is_a_rename(store: Store) -> None:
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"x")
        inode = (folder / "x").stat().st_ino
        assert store.path(store.add(folder / "x")).stat().st_ino == inode


HOLD = """
import sys, time
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from quard.store.local import Store
with Store(Path(sys.argv[2])).scratch() as folder:
    (folder / "half").write_text("made")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_scratch_of_the_killed_goes_and_of_the_living_stays(store: Store, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLD, CODE, str(tmp_path / "store")]
    holders = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    places = []
    for holder in holders:
        assert holder.stdout is not None
        places.append(Path(holder.stdout.readline().strip()))
    try:
        holders[0].send_signal(signal.SIGKILL)
        holders[0].wait()
        assert (places[0] / "half").exists()
        with store.scratch() as mine:
            assert not places[0].exists()
            assert (places[1] / "half").exists()
            with Store(tmp_path / "store").scratch():
                assert mine.exists()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


STRESS = """
import sys
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from quard.store.local import Store
store = Store(Path(sys.argv[2]))
key = sys.argv[3]
for number in range(60):
    with store.scratch() as folder:
        (folder / "x").write_bytes(b"%d" % (number % 5))
        sha256 = store.add(folder / "x")
    assert store.verify(sha256)
    store.put_record(key, {"plan": key, "blobs": {"log": sha256}, "interface": {}})
    found = store.record(key)
    assert found is not None and found["plan"] == key
"""


def test_two_processes_and_their_threads_share_a_store(store: Store, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", STRESS, CODE, str(tmp_path / "store"), KEY]
    processes = [subprocess.Popen(argv, stderr=subprocess.PIPE) for _ in range(2)]
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(60):
                with store.scratch() as folder:
                    file = folder / name
                    file.write_bytes(b"%d" % (number % 5))
                    assert store.verify(store.add(file))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert failures == []
    assert len(files(tmp_path / "store/cas")) == 5
    assert files(tmp_path / "store/tmp") == [".lock"]


def test_nothing_is_written_by_looking(store: Store, tmp_path: Path) -> None:
    calls: list[Callable[[str], object]] = [store.has, store.verify, store.record]
    assert not any(call(KEY) for call in calls)
    assert not (tmp_path / "store").exists()
