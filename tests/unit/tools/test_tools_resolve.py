"""quard.tools.resolve and quard.tools.index: from names to packages, without a network."""

from __future__ import annotations

import random

import pytest
from debian_archive import paragraph

from quard.base.errors import QuardError
from quard.tools.index import Damaged, Index
from quard.tools.resolve import resolve


def resolved(
    *paragraphs: str, names: tuple[str, ...] = ("a",), omit: frozenset[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    return resolve(Index("\n".join(paragraphs), "amd64"), names, omit, "one")


def refused(*paragraphs: str, names: tuple[str, ...] = ("a",)) -> QuardError:
    with pytest.raises(QuardError) as caught:
        resolved(*paragraphs, names=names)
    return caught.value


def test_both_kinds_of_dependencies_are_followed_and_no_others() -> None:
    assert resolved(
        paragraph("a", Pre_Depends="b", Depends="c", Recommends="d", Suggests="d", Breaks="d"),
        paragraph("b", Depends="a"),
        paragraph("c", Depends="e"),
        paragraph("d"),
        paragraph("e"),
    ) == {"a": ("b", "c"), "b": ("a",), "c": ("e",), "e": ()}


def test_a_dependency_field_may_have_several_lines() -> None:
    a = paragraph("a", Depends="b,\n c,\n\td", Description="a\n Depends: x")
    assert resolved(a, *map(paragraph, "bcd"))["a"] == ("b", "c", "d")


def test_an_essential_package_comes_only_if_it_is_needed() -> None:
    assert resolved(paragraph("a"), paragraph("b", Essential="yes")) == {"a": ()}


def test_the_first_alternative_that_exists_is_taken() -> None:
    b, c = paragraph("b"), paragraph("c")
    assert resolved(paragraph("a", Depends="x | c | b"), b, c)["a"] == ("c",)
    assert resolved(paragraph("a", Depends="b (>= 2) | c"), b, c)["a"] == ("c",)


def test_a_virtual_package_is_what_is_wanted_anyway_else_the_first_by_name() -> None:
    b, c = paragraph("b", Provides="v"), paragraph("c", Provides="w, v (= 3)")
    assert resolved(paragraph("a", Depends="v"), b, c)["a"] == ("b",)
    assert resolved(paragraph("a", Depends="v"), b, c, names=("a", "c"))["a"] == ("c",)
    assert resolved(paragraph("a", Depends="v, d"), b, c, paragraph("d", Depends="c"))["a"] == (
        "c",
        "d",
    )


def test_a_package_of_the_name_is_preferred_to_one_that_provides_it() -> None:
    b, v = paragraph("b", Provides="v"), paragraph("v")
    assert resolved(paragraph("a", Depends="v"), b, v)["a"] == ("v",)
    assert resolved(paragraph("a", Depends="v"), b, v, names=("a", "b"))["a"] == ("v",)


def test_a_version_is_only_provided_by_a_package_that_gives_it() -> None:
    b, c = paragraph("b", Provides="v"), paragraph("c", Provides="v (= 3)")
    assert resolved(paragraph("a", Depends="v (>= 3)"), b, c)["a"] == ("c",)
    assert refused(paragraph("a", Depends="v (>= 4)"), b, c).reason == "tools-unresolved"


@pytest.mark.parametrize(
    ("need", "holds"),
    [
        ("b", True),
        ("b (>= 1:1.0)", True),
        ("b(>=1:1.0)", True),
        ("b (= 1:1.0-1)", True),
        ("b (<< 1:1.0-1)", False),
        ("b (>> 1:1.0~rc1)", True),
        ("b (<= 2.0)", False),
        ("b (>= 2.0)", True),
    ],
)
def test_versions_are_compared(need: str, holds: bool) -> None:
    both = (paragraph("a", Depends=need), paragraph("b", "1:1.0-1"))
    if holds:
        assert resolved(*both)["a"] == ("b",)
    else:
        assert "a 1 needs b" in refused(*both).detail


@pytest.mark.parametrize(
    ("need", "holds"),
    [("b:any", True), ("b:native", True), ("b:amd64", True), ("b:arm64", False)],
)
def test_a_qualified_name_is_that_of_the_build_machine(need: str, holds: bool) -> None:
    both = (paragraph("a", Depends=f"{need} (>= 1)"), paragraph("b"))
    if holds:
        assert resolved(*both)["a"] == ("b",)
    else:
        assert "b:arm64 (>= 1)" in refused(*both).detail


def test_of_several_versions_the_newest_is_taken() -> None:
    index = Index("\n".join(paragraph("a", version) for version in ("9", "10", "2")), "amd64")
    found = index.package("a")
    assert found is not None
    assert found.version == "10"


def test_what_is_omitted_is_not_needed() -> None:
    a = paragraph("a", Depends="b, c | d")
    found = resolved(a, paragraph("b", Depends="x"), paragraph("c"), omit=frozenset(("b", "c")))
    assert found == {"a": ()}


def test_all_that_cannot_be_resolved_is_one_error() -> None:
    error = refused(paragraph("a", Depends="b (>= 2), c, d | e"), paragraph("b"))
    assert error.reason == "tools-unresolved"
    assert error.detail.splitlines() == [
        "a 1 needs b (>= 2); the index has b 1",
        "a 1 needs c; the index has none of them",
        "a 1 needs d | e; the index has none of them",
    ]


def test_unknown_names_are_one_error_with_suggestions() -> None:
    error = refused(paragraph("bash"), names=("bahs", "xyz"))
    assert error.message == "one has no package bahs, xyz for amd64"
    assert error.reason == "unknown-tool-package"
    assert "'bash' for 'bahs'" in error.hint


def test_the_result_does_not_depend_on_the_order_of_the_index() -> None:
    paragraphs = [paragraph(f"p{n}", Provides=f"v{n % 3}") for n in range(9)]
    paragraphs += [
        paragraph(f"n{n}", Depends=f"v{n % 3}, n{(n + 1) % 7}, v{(n + 1) % 3} | p8")
        for n in range(7)
    ]
    first = resolved(*paragraphs, names=("n0", "p5"))
    for seed in range(20):
        random.Random(seed).shuffle(paragraphs)
        assert resolved(*paragraphs, names=("p5", "n0")) == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Version: 1\n", "a paragraph begins with 'Version: 1'"),
        (paragraph("a").replace("Size: 1\n", ""), "a has no Size"),
        (paragraph("a", SHA256="abc"), "a has a wrong SHA256 or Size"),
        (paragraph("a", Size="-1"), "a has a wrong SHA256 or Size"),
        (paragraph("a", Filename="../a.deb"), "a has the file '../a.deb'"),
        (paragraph("a", "x:1"), "a has the version 'x:1'"),
        (paragraph("a", Depends="b (>> )"), "a has the dependency 'b (>> )'"),
        (paragraph("a", Depends="b (>< 1)"), "a has the dependency 'b (>< 1)'"),
        (paragraph("a", Depends="b (>= x:1)") + "\n" + paragraph("b"), "a has the dependency"),
    ],
)
def test_a_damaged_index_is_refused(text: str, said: str) -> None:
    with pytest.raises(Damaged, match=r".") as caught:
        resolved(text)
    assert said in str(caught.value)


def test_the_source_of_a_package_is_its_own_unless_the_index_says_other() -> None:
    texts = {
        "a": "a 1+b1",
        "b": "src 1+b1",
        "c": "src 7",
    }
    index = Index(
        "\n".join(
            (
                paragraph("a", "1+b1"),
                paragraph("b", "1+b1", Source="src"),
                paragraph("c", "1+b1", Source="src (7)"),
            )
        ),
        "amd64",
    )
    packages = {name: index.package(name) for name in texts}
    assert {name: one.source for name, one in packages.items() if one} == texts
