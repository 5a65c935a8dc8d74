"""What the store loses between a cache hit and the use of its blobs is made again in one run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tarfile
from pathlib import Path

import pytest
from waiting import within

from incremental.conftest import GREET_C, GREET_H, HELLO_C
from incremental.project import Project
from incremental.test_modes import slow, start, wait_until_building
from incremental.test_roots import rooted
from quard.store.record import decode_record, encode_record


def blob_of(project: Project, name: str, part: str) -> Path:
    """Return the path of a part of a package in the shared store."""
    found = project.folder / f"out/tiny/units/{name}.record.json"
    sha256: str = json.loads(found.read_bytes())["blobs"][part]
    return project.cache / "store/cas" / sha256[:2] / sha256


def lose(blob: Path, harm: str) -> None:
    """Remove a blob, or change its content."""
    if harm == "removed":
        blob.unlink()
    else:
        blob.chmod(0o644)
        blob.write_bytes(b"damaged" + blob.read_bytes()[7:])


def told(text: str) -> list[str]:
    """Return the warnings about stores and results."""
    return [line for line in text.splitlines() if line.startswith("warning: the ")]


def users(project: Project, *names: str, word: int) -> None:
    """Write programs that use the library; another `word` gives other programs."""
    for name in names:
        code = HELLO_C.replace("greet() - 42", f"greet() - 42 + {word} - {word}")
        project.program(name, code, "-lgreet", more='needs=("greet",),')


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_what_is_lost_after_the_hit_is_made_again_by_the_same_run(
    greeting: Project, harm: str
) -> None:
    slow(greeting, 5)
    greeting.board(["alone", "greet", "hello", "libc", "slow"])
    assert greeting.run("greet", "alone", "hello", "libc").status == 0
    shutil.rmtree(greeting.folder / "out")
    greeting.program("hello", HELLO_C, "-lgreet -Wall", more='needs=("greet", "slow"),')
    run = start(greeting)
    wait_until_building(greeting)
    hits = [greeting.folder / f"out/tiny/units/{name}.json" for name in ("greet", "alone")]
    assert within(20, lambda: all(path.exists() for path in hits))
    sysroot, image = blob_of(greeting, "greet", "dev"), blob_of(greeting, "alone", "programs")
    lose(sysroot, harm)
    lose(image, harm)
    out, _ = run.communicate(timeout=120)
    assert run.returncode == 0, out
    fault = "is missing" if harm == "removed" else "did not have its hash and was removed"
    store = f"{greeting.cache}/store"
    assert told(out) == [
        f"warning: the store in {store} is damaged: the dev part of greet (blob {sysroot.name})"
        f" {fault}; greet is rebuilt",
        f"warning: the store in {store} is damaged: the programs part of alone (blob {image.name})"
        f" {fault}; alone is rebuilt",
    ]
    summary = json.loads((greeting.folder / "out/tiny/summary.json").read_text())
    built = [package["name"] for package in summary["built"]]
    assert built == ["alone", "greet", "hello", "slow"] and summary["failed"] == []
    assert greeting.run().out.endswith("tiny: everything is up to date\n")
    made = greeting.image()
    shutil.rmtree(greeting.folder / "out")
    assert greeting.run().built == []
    assert greeting.image() == made


def test_two_dependants_that_find_a_loss_at_once_make_it_again_once(greeting: Project) -> None:
    names = ("one", "two", "three")
    users(greeting, *names, word=1)
    greeting.board(["libc", *names])
    assert greeting.run().status == 0
    blob_of(greeting, "greet", "dev").unlink()
    users(greeting, *names, word=2)
    ran = greeting.run("-j3")
    assert ran.status == 0, ran.text
    assert ran.built == ["greet", "one", "three", "two"]
    assert len(told(ran.text)) == 1
    assert ran.out.count("greet 1: built in") == 1 and "greet 1: from the store" not in ran.out


@pytest.mark.parametrize("options", [(), ("-k",), ("-k", "-j3")])
def test_what_cannot_be_made_again_is_one_error(
    greeting: Project, options: tuple[str, ...]
) -> None:
    users(greeting, "one", "two", word=1)
    greeting.board(["alone", "libc", "one", "two"])
    assert greeting.run().status == 0
    blob_of(greeting, "greet", "dev").unlink()
    (cached,) = greeting.cached("greet-*")
    cached.unlink()
    next(greeting.sources.glob("greet-*")).unlink()
    users(greeting, "one", "two", word=2)
    ran = greeting.run(*options)
    assert ran.status == 2, ran.text
    assert ran.err.count("error: ") == 1 and "reason: no-source" in ran.err
    assert ran.summary["failed"] == ["greet"]
    assert len(told(ran.text)) == 1
    again = greeting.run("-k")
    assert again.status == 2 and again.summary["failed"] == ["greet"]
    greeting.library("greet", GREET_C, GREET_H)
    assert greeting.run().built == ["greet", "one", "two"]


def test_a_damaged_log_is_a_cache_miss(greeting: Project) -> None:
    greeting.run()
    log = blob_of(greeting, "alone", "log")
    lose(log, "changed")
    shutil.rmtree(greeting.folder / "out")
    ran = greeting.run()
    assert ran.status == 0 and ran.built == ["alone"]
    assert told(ran.text) == [
        f"warning: the store in {greeting.cache}/store is damaged: the log part of alone"
        f" (blob {log.name}) did not have its hash and was removed; alone is rebuilt"
    ]
    assert (greeting.folder / "out/tiny/logs/alone.log").read_text()
    events = json.loads((greeting.folder / "out/tiny/timeline.json").read_text())["traceEvents"]
    shown = {e["args"]["how"] for e in events if e["name"] == "alone" and e["ph"] == "X"}
    assert shown == {"built"}


def test_a_record_that_names_the_wrong_blob_is_dropped(greeting: Project) -> None:
    """The blob has its hash, but it cannot be unpacked: looking it up again would not help."""
    greeting.run()
    for path in (greeting.cache / "store/ac").rglob("*.json"):
        record = decode_record(path.stem, path.read_bytes())
        assert record is not None
        if record["name"] == "greet":
            record["blobs"]["dev"] = record["blobs"]["log"]
            path.write_bytes(encode_record(path.stem, record))
    shutil.rmtree(greeting.folder / "out")
    users(greeting, "hello", word=2)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["greet", "hello"]
    (line,) = told(ran.text)
    assert "the dev part of greet" in line and "is not an archive; greet is rebuilt" in line


def test_questions_read_no_blob(greeting: Project) -> None:
    greeting.run()
    blob = blob_of(greeting, "alone", "programs")
    lose(blob, "changed")
    shutil.rmtree(greeting.folder / "out")
    for words in (("-n",), ("why",)):
        ran = greeting.run(*words)
        assert "take from the store  alone" in ran.out, ran.text
        assert blob.exists() and told(ran.text) == []


def test_another_interface_than_before_reaches_what_was_already_made(greeting: Project) -> None:
    """A header with a time in it: making the library again changes what its users see."""
    makefile = (
        "libgreet.so.1: greet.c\n\tdate '+/* %N */' >> greet.h\n"
        "\t$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libgreet.so.1 -o $@ greet.c\n"
    )
    greeting.library("greet", GREET_C, GREET_H, files={"Makefile": makefile})
    users(greeting, "before", "later", word=1)
    greeting.board(["before", "later", "libc"])
    assert greeting.run().status == 0
    blob_of(greeting, "greet", "dev").unlink()
    users(greeting, "later", word=2)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["before", "greet", "later"]
    assert greeting.run().out.endswith("tiny: everything is up to date\n")


def test_a_kill_while_a_loss_is_made_again_leaves_nothing_that_is_trusted(
    greeting: Project,
) -> None:
    slow(greeting, 4)
    assert greeting.run().status == 0
    lose(blob_of(greeting, "slow", "programs"), "changed")
    (greeting.folder / "rootfs/etc/motd").write_text("another day\n")
    run = start(greeting)
    wait_until_building(greeting)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    assert not (greeting.folder / "out/tiny/units/slow.json").exists()
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["slow"] and told(ran.text) == []
    assert greeting.run().out.endswith("tiny: everything is up to date\n")


def test_a_package_of_another_root_is_the_one_that_is_made_again(greeting: Project) -> None:
    rooted(greeting, ["hello", "libc"], more='flags.c = "-g -Os"')
    assert greeting.run().status == 0
    own, other = blob_of(greeting, "greet", "dev"), blob_of(greeting, "initramfs/greet", "dev")
    assert own != other
    other.unlink()
    users(greeting, "hello", word=2)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["hello", "initramfs/greet", "initramfs/hello"]
    (line,) = told(ran.text)
    assert f"the dev part of initramfs/greet (blob {other.name}) is missing" in line


def test_a_package_that_scons_has_only_compared_follows_one_that_is_made_again(
    greeting: Project,
) -> None:
    """The own root is found up to date before the other one meets a loss in a library of both."""
    makefile = (
        "libgreet.so.1: greet.c\n\tdate '+const char *t = \"%N\";' >> greet.c\n"
        "\t$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libgreet.so.1 -o $@ greet.c\n"
    )
    greeting.library("greet", GREET_C, GREET_H, files={"Makefile": makefile})
    empty = "int main(void) { return 0; }\n"
    greeting.program("slow", empty, "&& sleep 6")
    rooted(greeting, ["hello", "libc", "slow"])
    assert greeting.run().status == 0
    lose(blob_of(greeting, "greet", "libs"), "changed")
    greeting.program("alone", empty, "-Wall")
    greeting.program("slow", empty, "-Wall && sleep 6")
    (greeting.folder / "early/x").write_text("1\n")
    ran = greeting.run("-j3")
    assert ran.status == 0, ran.text
    assert "greet" in ran.built and {"rootfs.tar", "initramfs/rootfs.tar"} <= {
        *ran.summary["images"]
    }
    found = []
    for root in ("", "initramfs"):
        with tarfile.open(greeting.folder / "out/tiny/images" / root / "rootfs.tar") as tar:
            file = tar.extractfile("usr/lib/libgreet.so.1")
            assert file is not None
            found.append(file.read())
    assert found[0] == found[1]
    assert greeting.run().out.endswith("tiny: everything is up to date\n")


def test_a_shell_makes_what_its_sysroot_needs_again(greeting: Project) -> None:
    greeting.run()
    blob_of(greeting, "greet", "dev").unlink()
    out = greeting.in_shell("hello", "ls /quard/sysroot/usr/include/greet.h\n")
    assert "/quard/sysroot/usr/include/greet.h\n" in out
    assert len(told(out)) == 1 and "greet 1: built in" in out


def test_the_empty_part_that_most_packages_have_costs_nothing_to_lose(greeting: Project) -> None:
    greeting.run()
    before, empty = greeting.image(), blob_of(greeting, "alone", "libs")
    assert empty == blob_of(greeting, "greet", "programs")
    empty.unlink()
    assert greeting.run().out.endswith("tiny: everything is up to date\n")
    shutil.rmtree(greeting.folder / "out")
    ran = greeting.run()
    assert ran.status == 0 and ran.built == [] and told(ran.text) == []
    assert greeting.image() == before and empty.exists()


def test_a_loss_in_the_checkouts_own_store_is_made_again_there(greeting: Project) -> None:
    """Results of builds that are not sealed stay in the checkout."""
    unsealed = "sandbox.mode=none"
    assert greeting.run(unsealed).status == 0
    shared = blob_of(greeting, "greet", "dev")
    own = greeting.folder / "out/store" / shared.relative_to(greeting.cache / "store")
    lose(own, "changed")
    users(greeting, "hello", word=2)
    ran = greeting.run(unsealed)
    assert ran.status == 0, ran.text
    assert ran.built == ["greet", "hello"]
    lines = [line for line in told(ran.text) if "store" in line]
    assert lines == [
        f"warning: the store in {greeting.folder}/out/store is damaged: the dev part of greet"
        f" (blob {own.name}) did not have its hash and was removed; greet is rebuilt"
    ]
    assert own.exists() and not shared.exists()
