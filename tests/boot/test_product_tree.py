"""The example of docs/product-tree.md: built from its own folder by its script, and booted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import checkout
from boot.conftest import TOP, start
from boot.guest import Guest

pytestmark = pytest.mark.boot
EXAMPLE = TOP / "docs/examples/product"
CHECKOUT = 'checkout = "quardroot"'
CXX = """\
from quard.model import Custom, Install, Run
RECIPE = Custom(
    summary="A program in C++ that catches what one of its threads has thrown",
    version="1.0",
    license="MIT",
    build=[Run("{cross}g++", "-O2", "-o", "caught", "{files}/caught.cpp")],
    install=[Install("caught", "usr/bin/caught", mode="0755")],
)
"""
CAUGHT = """\
#include <future>
#include <iostream>
#include <stdexcept>
int main() {
    auto part = std::async(std::launch::async, [] { throw std::runtime_error("from a thread"); });
    try { part.get(); } catch (const std::exception &e) { std::cout << e.what() << std::endl; }
}
"""


@pytest.fixture(scope="module")
def product(
    small_images: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of the product, with its board built."""
    del small_images  # its build has made everything but the product's own package
    folder = tmp_path_factory.mktemp("example") / "a product"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "quardroot.toml").read_text(encoding="utf-8")
    assert CHECKOUT in text
    text = text.replace(CHECKOUT, f'checkout = "{TOP}"')
    (folder / "quardroot.toml").write_text(text, encoding="utf-8")
    (folder / "packages/caught").mkdir()
    (folder / "packages/caught/recipe.py").write_text(CXX, encoding="utf-8")
    (folder / "packages/caught/caught.cpp").write_text(CAUGHT, encoding="utf-8")
    board = folder / "configs/widget.toml"
    text = board.read_text(encoding="utf-8").replace('["greeter"]', '["greeter", "caught"]')
    board.write_text(text, encoding="utf-8")
    start(folder, pytestconfig, f"cache.dir={checkout.cache_folder()}")
    return folder


@pytest.fixture(scope="module")
def script(product: Path) -> Path:
    return product / "out/widget/images/run.sh"


def test_the_service_of_the_product_runs_with_the_file_of_its_overlay(guest: Guest) -> None:
    assert guest.check("cat /run/greeter") == "Hello from the widget"
    assert guest.check("cat /proc/$(cat /run/greeter.pid)/comm") == "greeter"


def test_the_service_stops_and_starts(guest: Guest) -> None:
    guest.check("pid=$(cat /run/greeter.pid) && /etc/init.d/S70greeter stop && ! kill -0 $pid")
    guest.check("/etc/init.d/S70greeter start && kill -0 $(cat /run/greeter.pid)")


def test_the_last_words_of_a_service_are_in_the_system_log(guest: Guest) -> None:
    program = "#!/bin/sh\\necho no configuration >&2\\nexit 3\\n"
    guest.check(f"printf '{program}' >/usr/sbin/broken && chmod 755 /usr/sbin/broken")
    guest.check("sed s/greeter/broken/g /etc/init.d/S70greeter >/run/S71broken")
    guest.run("sh /run/S71broken start")
    words = "daemon.notice broken: no configuration"
    guest.check(f"until grep -q '{words}' /var/log/messages; do sleep 0.1; done")
    guest.check("while pgrep -f 'logger -t broke[n]'; do sleep 0.1; done")
    guest.check("sh /run/S71broken stop && ! ls /run/broken.*")


def test_the_board_is_the_included_one_but_for_what_it_says(guest: Guest) -> None:
    assert guest.check("hostname") == "widget"
    guest.check("test -x /usr/sbin/dropbear && test -s /etc/fstab")


def test_a_program_in_cxx_finds_its_libraries(guest: Guest, small_images: Path) -> None:
    """The board that the product includes has no such program, and so no libstdc++."""
    assert guest.check("caught") == "from a thread"
    assert "/usr/lib/libstdc++.so.6" not in (small_images / "manifest.json").read_text()


def test_its_images_are_in_its_own_folder(product: Path) -> None:
    assert (product / "out/widget/images/rootfs.ext4").is_file()
