"""Order, closure and what each package sees, held against slower ways of saying the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping

import pytest

from quard.base.errors import QuardError
from quard.recipes.graph import Edges, Graph, build


def acyclic(random_: random.Random, size: int) -> dict[str, Edges]:
    """Return packages that need only such as come earlier in a shuffled list; runtime is free."""
    names = [f"p{number}" for number in range(size)]
    random_.shuffle(names)
    edges = {}
    for place, name in enumerate(names):
        needs = sorted(random_.sample(names[:place], min(place, random_.randrange(4))))
        exports = tuple(need for need in needs if random_.random() < 0.4)
        runtime = tuple(sorted(random_.sample(names, random_.randrange(3))))
        edges[name] = Edges(needs=tuple(needs), exports=exports, runtime=runtime)
    return edges


def graph(edges: Mapping[str, Edges], *roots: str) -> Graph:
    return build(roots or tuple(edges), edges.__getitem__)


def reached(edges: Mapping[str, Edges], start: set[str], *, runtime: bool) -> set[str]:
    """Return the closure by repeated passes."""
    seen = set(start)
    while True:
        more = {need for name in seen for need in edges[name].needs}
        if runtime:
            more |= {need for name in seen for need in edges[name].runtime}
        if more <= seen:
            return seen
        seen |= more


@pytest.mark.parametrize("seed", range(40))
def test_every_order_is_topological_and_has_each_package_once(seed: int) -> None:
    edges = acyclic(random.Random(seed), 20)
    found = graph(edges)
    assert sorted(found.order) == sorted(edges)
    place = {name: number for number, name in enumerate(found.order)}
    for name, mine in edges.items():
        assert all(place[need] < place[name] for need in mine.needs)


@pytest.mark.parametrize("seed", range(10))
def test_the_order_does_not_depend_on_how_the_roots_are_given(seed: int) -> None:
    random_ = random.Random(seed)
    edges = acyclic(random_, 15)
    roots = list(edges)
    first = build(roots, edges.__getitem__).order
    for _ in range(5):
        random_.shuffle(roots)
        assert build([*roots, roots[0]], edges.__getitem__).order == first


@pytest.mark.parametrize("seed", range(20))
def test_only_what_the_roots_lead_to_is_in_the_graph(seed: int) -> None:
    edges = acyclic(random.Random(seed), 20)
    root = sorted(edges)[seed]
    found = graph(edges, root)
    assert set(found.order) == set(found.edges) == reached(edges, {root}, runtime=True)


def test_packages_are_read_only_when_something_leads_to_them() -> None:
    asked: list[str] = []

    def edges(name: str) -> Edges:
        asked.append(name)
        return {"a": Edges(needs=("b",)), "b": Edges()}[name]

    build(("a",), edges)
    assert sorted(asked) == ["a", "b"]


@pytest.mark.parametrize("seed", range(20))
def test_the_closure_is_all_that_is_needed_to_build_or_run_in_building_order(seed: int) -> None:
    edges = acyclic(random.Random(seed), 20)
    found = graph(edges)
    for name in edges:
        closure = found.closure((name,))
        assert set(closure) == reached(edges, {name}, runtime=True)
        assert list(closure) == [other for other in found.order if other in closure]


@pytest.mark.parametrize("seed", range(20))
def test_sysroot_and_linked_together_are_all_needs_and_never_share_one(seed: int) -> None:
    edges = acyclic(random.Random(seed), 20)
    found = graph(edges)
    for name, mine in edges.items():
        seen, linked = found.sysroot(name), found.linked(name)
        deep = reached(edges, set(mine.needs), runtime=False)
        assert set(mine.needs) <= set(seen)
        assert not set(seen) & set(linked)
        assert set(seen) | set(linked) == deep
        assert (list(seen), list(linked)) == (sorted(seen), sorted(linked))


def test_a_package_sees_its_needs_and_their_exports_and_links_the_rest() -> None:
    found = graph(
        {
            "app": Edges(needs=("lib",), runtime=("tool",)),
            "lib": Edges(needs=("hidden", "shown"), exports=("shown",)),
            "shown": Edges(needs=("deep",), exports=("deep",)),
            "deep": Edges(),
            "hidden": Edges(needs=("deeper",)),
            "deeper": Edges(),
            "tool": Edges(needs=("toolkit",)),
            "toolkit": Edges(),
        }
    )
    assert found.sysroot("app") == ("deep", "lib", "shown")
    assert found.linked("app") == ("deeper", "hidden")
    assert found.dependants("lib") == ("app",)
    assert found.dependants("tool") == ()
    assert set(found.closure(("app",))) == set(found.order)


def test_a_cycle_is_refused_and_named_in_order() -> None:
    edges = {
        "a": Edges(needs=("b",)),
        "b": Edges(needs=("c", "d")),
        "c": Edges(needs=("b",)),
        "d": Edges(),
    }
    with pytest.raises(QuardError) as caught:
        graph(edges, "a")
    assert caught.value.reason == "dependency-cycle"
    assert caught.value.detail == "b -> c -> b"


def test_a_package_that_needs_itself_is_a_cycle() -> None:
    with pytest.raises(QuardError) as caught:
        graph({"a": Edges(needs=("a",))})
    assert (caught.value.reason, caught.value.detail) == ("dependency-cycle", "a -> a")


@pytest.mark.parametrize("seed", range(60))
def test_a_cycle_is_found_exactly_when_there_is_one_and_it_is_a_real_one(seed: int) -> None:
    random_ = random.Random(seed)
    names = [f"p{number}" for number in range(7)]
    edges = {
        name: Edges(needs=tuple(sorted(random_.sample(names, random_.choice((0, 1, 1, 2))))))
        for name in names
    }
    cyclic = any(name in reached(edges, set(edges[name].needs), runtime=False) for name in names)
    if not cyclic:
        assert sorted(graph(edges).order) == names
        return
    with pytest.raises(QuardError) as caught:
        graph(edges)
    assert caught.value.reason == "dependency-cycle"
    cycle = caught.value.detail.split(" -> ")
    assert cycle[0] == cycle[-1]
    assert all(after in edges[one].needs for one, after in itertools.pairwise(cycle))


def test_packages_may_want_each_other_on_the_target() -> None:
    found = graph({"a": Edges(runtime=("b",)), "b": Edges(runtime=("a",))}, "a")
    assert found.order == ("a", "b")
    assert found.closure(("b",)) == ("a", "b")


def test_a_runtime_wish_may_lead_back_to_its_dependant() -> None:
    found = graph({"app": Edges(needs=("lib",)), "lib": Edges(runtime=("app",))}, "lib")
    assert found.order == ("lib", "app")


def test_each_package_is_looked_at_a_fixed_number_of_times() -> None:
    """Many roots with runtime wishes: a null build reads the whole graph, so work is linear."""
    looked = 0

    class Counting(tuple[str, ...]):
        __slots__ = ()

        def __iter__(self):  # type: ignore[no-untyped-def]
            nonlocal looked
            looked += 1
            return super().__iter__()

    names = [f"p{number:03}" for number in range(300)]
    build(names, lambda _: Edges(runtime=Counting(("p000",))))
    assert looked <= 2 * len(names)


@pytest.mark.parametrize("seed", range(20))
def test_the_users_of_a_package_are_those_in_whose_closure_it_is(seed: int) -> None:
    edges = acyclic(random.Random(seed), 20)
    found = graph(edges)
    for name in edges:
        slowly = [n for n in found.order if n != name and name in found.closure((n,))]
        assert list(found.users(name)) == slowly


def test_a_chain_may_be_longer_than_the_stack_is_deep() -> None:
    names = [f"p{number:05}" for number in range(5000)]
    edges = {name: Edges(needs=(need,)) for name, need in itertools.pairwise(names)}
    edges[names[-1]] = Edges()
    found = build(names[:1], edges.__getitem__)
    assert found.order == tuple(reversed(names))
    edges[names[-1]] = Edges(needs=(names[0],))
    with pytest.raises(QuardError) as caught:
        build(names[:1], edges.__getitem__)
    assert caught.value.reason == "dependency-cycle"
    assert caught.value.detail.count(" -> ") == len(names)
