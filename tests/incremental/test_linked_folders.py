"""Packages, boards and overlays of a product's own repository, linked into the checkout."""

from __future__ import annotations

import tarfile

from incremental.project import Project


def test_linked_packages_boards_and_overlays_are_tracked_like_the_rest(greeting: Project) -> None:
    product = greeting.folder.parent / "product"
    (product / "overlay/etc").mkdir(parents=True)
    (product / "overlay/etc/product").write_text("one\n")
    greeting.board(["libc", "alone"], more='overlays = ["rootfs", "overlay-product"]', name="own")
    moved = {
        greeting.folder / "packages/alone": product / "alone",
        greeting.folder / "configs/own.toml": product / "own.toml",
    }
    for inside, outside in moved.items():
        inside.rename(outside)
        inside.symlink_to(outside)
    (greeting.folder / "overlay-product").symlink_to(product / "overlay")

    first = greeting.run(board="own")
    assert first.status == 0, first.text
    assert first.built == ["alone", "libc"]
    assert content(greeting) == b"one\n"
    assert greeting.run(board="own").summary["images"] == []

    (product / "overlay/etc/product").write_text("two\n")
    assert "rootfs.tar" in greeting.run(board="own").summary["images"]
    assert content(greeting) == b"two\n"

    recipe = product / "alone/recipe.py"
    recipe.write_text(recipe.read_text().replace('"0755"', '"0750"'))
    assert greeting.run(board="own").built == ["alone"]


def content(project: Project) -> bytes:
    """Return what the product's overlay has put into the image."""
    with tarfile.open(project.folder / "out/own/images/rootfs.tar") as tar:
        file = tar.extractfile("etc/product")
        assert file is not None
        return file.read()
