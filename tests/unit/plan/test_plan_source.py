"""A recipe's archive as the fetcher is asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import SHA, TOP, load

from quard.model import Folder
from quard.plan import source
from quard.plan.source import Request, Variant, accepted, further, requests
from quard.recipes.catalog import Catalog
from quard.sources.archives import Archives

OURS = Catalog(TOP / "packages")


def test_upstreams_bytes_come_first_with_their_mirrors_then_each_alternate(tmp_path: Path) -> None:
    other = "f" * 64
    recipe = load(
        tmp_path,
        "thing",
        sources='[Source("https://a/{name}/v{version}/{name}-{version}.tar.gz", '
        f'sha256="{SHA}", provenance="us", '
        'mirrors=("https://b/{name}_{version}.tgz", "debian:pool/t/{name}.tar.gz"), size=1234, '
        'alternates=(Alternate("debian:pool/t/{name}_{version}.orig.tar.xz", '
        f'"{other}", "x", size=567),))]',
    ).recipe
    (found,) = requests("thing", recipe)
    assert found == Request(
        "thing",
        (
            Variant(
                "thing-1.0.tar.gz",
                SHA,
                (
                    "https://a/thing/v1.0/thing-1.0.tar.gz",
                    "https://b/thing_1.0.tgz",
                    "debian:pool/t/thing.tar.gz",
                ),
                1234,
            ),
            Variant("thing_1.0.orig.tar.xz", other, ("debian:pool/t/thing_1.0.orig.tar.xz",), 567),
        ),
    )


def test_a_package_of_the_toolchains_own_parts_asks_for_nothing(tmp_path: Path) -> None:
    fields = {"sources": None, "license_files": None, "libraries": '("libc.so.6",)'}
    assert requests("thing", load(tmp_path, "thing", "ToolchainRuntime", **fields).recipe) == ()


@pytest.mark.parametrize("name", OURS.names())
def test_every_source_of_the_project_can_be_asked_for(name: str, tmp_path: Path) -> None:
    recipe = OURS[name].recipe
    found = requests(name, recipe)
    assert len(found) == sum(not isinstance(one, Folder) for one in recipe.sources)
    accepts = [accepted(recipe), *((sha256,) for _, sha256 in further(recipe))]
    strictly = requests(name, recipe, strict=True)
    archives = Archives(tmp_path)
    for one, strict, digests, written in zip(
        found, strictly, accepts, source.archives(recipe), strict=False
    ):
        assert (one.package, one.into) == (name, written.into)
        assert tuple(variant.sha256 for variant in one.variants) == digests
        assert strict.variants == one.variants[:1]
        assert strict.strict == bool(written.alternates)
        for variant in one.variants:
            assert archives.place(variant) == tmp_path / variant.sha256 / variant.file
            for address in variant.addresses:
                assert "{" not in address
                assert "}" not in address


def test_further_archives_have_requests_for_their_folders(tmp_path: Path) -> None:
    other = "f" * 64
    sources = (
        f'[Source("https://a/x.tar", "{SHA}", "us"),'
        f' Source("https://a/y.tar", "{other}", "us", into="lib/y")]'
    )
    recipe = load(tmp_path, "thing", sources=sources).recipe
    top, inner = requests("thing", recipe)
    assert (top.into, inner.into) == (source.TOP, "lib/y")
    assert inner.variants == (Variant("y.tar", other, ("https://a/y.tar",)),)
    assert accepted(recipe) == (SHA,)
    assert further(recipe) == (("lib/y", other),)


def test_a_commit_is_asked_for_at_each_address_as_an_archive_named_by_it(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    sources = (
        f'[Git("github:o/{{name}}.git", commit="{commit}", tree="{SHA}", submodules=True,'
        ' mirrors=["https://m/{name}"])]'
    )
    recipe = load(tmp_path, "thing", sources=sources).recipe
    (found,) = requests("thing", recipe)
    query = f"#commit={commit}&submodules=1"
    addresses = (f"git+github:o/thing.git{query}", f"git+https://m/thing{query}")
    assert found.variants == (Variant("thing-0123456789ab.tar", SHA, addresses),)
    assert accepted(recipe) == (SHA,)


def test_an_archive_without_a_size_counts_with_that_of_its_alternate() -> None:
    """Otherwise the kernel, whose build takes longest, would be begun last."""
    recipe = OURS["linux"].recipe
    assert [one.size for one in source.archives(recipe)] == [0]
    assert source.expected_size(recipe) == 151398592
    assert source.expected_size(OURS["openssl"].recipe) == 53153930
    assert source.expected_size(OURS["libc"].recipe) == 0
