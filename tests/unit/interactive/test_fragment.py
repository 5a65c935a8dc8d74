"""An edit -> the fewest lines, judged by a small Kconfig that has all that makes it hard."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import pytest

from quard.base.errors import QuardError
from quard.execute.kconfig import ConfigLine, lay_over, merge, parse, values, vanished
from quard.interactive.fragment import Change, Minimal, Stack, changes, lost, minimal


@dataclass(frozen=True)
class Symbol:
    """A switch: below `under`, with a default, switched on by any of `by` and by hand."""

    name: str
    under: tuple[str, ...] = ()
    default: bool = False
    by: tuple[str, ...] = ()


def toy(*symbols: Symbol, lists_hidden: bool = False) -> Callable[[str], str]:
    """Return the refresh of a menu: as linux does it, or as busybox, which lists what is hidden."""

    def refresh(config: str) -> str:
        given = values(config)
        on: set[str] = set()
        while True:
            now = set()
            for symbol in symbols:
                visible = on.issuperset(symbol.under)
                name = f"CONFIG_{symbol.name}"
                chosen = given[name] == "y" if name in given else symbol.default
                if (visible and chosen) or on.intersection(symbol.by):
                    now.add(symbol.name)
            if now == on:
                break
            on = now
        lines = ["# generated"]
        for symbol in symbols:
            if symbol.name in on:
                lines.append(f"CONFIG_{symbol.name}=y")
            elif lists_hidden or on.issuperset(symbol.under):
                lines.append(f"# CONFIG_{symbol.name} is not set")
        return "\n".join(lines) + "\n"

    return refresh


def stack(refresh: Callable[[str], str], below: str = "", above: str = "") -> Stack:
    return Stack(
        base=refresh(""),
        below=parse(below, "recipe.fragment"),
        above=parse(above, "features"),
        refresh=refresh,
    )


def edit(made: Stack, *lines: str) -> str:
    """Return what a build has so far, with some lines edited by hand and then refreshed."""
    return made.refresh(lay_over(made.config(()), merge(parse("\n".join(lines), "edit"))))


def found(made: Stack, edited: str) -> Minimal:
    return minimal(made, made.config(()), edited)


def lines(result: Minimal) -> list[str]:
    return [str(request) for request in result.lines]


MENU = (
    Symbol("NET"),
    Symbol("INET", ("NET",), default=True),
    Symbol("IPV6", ("NET", "INET"), default=True),
    Symbol("BRIDGE", ("NET",)),
    Symbol("LLC", by=("BRIDGE",)),
    Symbol("DEBUG"),
    Symbol("DEBUG_INFO", ("DEBUG",)),
)


@pytest.fixture(params=[False, True], ids=["linux", "busybox"])
def lists_hidden(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_no_edit_needs_no_line(lists_hidden: bool) -> None:
    made = stack(toy(*MENU, lists_hidden=lists_hidden))
    assert found(made, made.config(())).lines == ()


def test_what_follows_by_itself_needs_no_line(lists_hidden: bool) -> None:
    made = stack(toy(*MENU, lists_hidden=lists_hidden))
    edited = edit(made, "CONFIG_NET=y", "CONFIG_INET=y", "CONFIG_IPV6=y", "CONFIG_BRIDGE=y")
    result = found(made, edited)
    if lists_hidden:
        # busybox remembers of hidden symbols that they were off: their defaults never come.
        assert lines(result) == [
            "CONFIG_BRIDGE=y", "CONFIG_INET=y", "CONFIG_IPV6=y", "CONFIG_NET=y",
        ]  # fmt: skip
    else:
        assert lines(result) == ["CONFIG_BRIDGE=y", "CONFIG_NET=y"]
    assert (result.lost, result.broken) == ((), ())
    assert result.config == edited


def test_a_default_that_was_switched_off_needs_its_line() -> None:
    made = stack(toy(*MENU))
    result = found(made, edit(made, "CONFIG_NET=y", "# CONFIG_IPV6 is not set"))
    assert lines(result) == ["# CONFIG_IPV6 is not set", "CONFIG_NET=y"]


def test_one_switch_costs_one_refresh_whatever_hangs_on_it(lists_hidden: bool) -> None:
    below = [Symbol(f"A{n:03}", ("TOP",), default=True) for n in range(300)]
    made = stack(toy(Symbol("TOP", default=True), *below, lists_hidden=lists_hidden))
    edited = made.complete(edit(made, "# CONFIG_TOP is not set"))
    before = len(made.known)
    assert lines(found(made, edited)) == ["# CONFIG_TOP is not set"]
    assert len(made.known) - before == 1


def test_a_few_switches_among_many_symbols_cost_a_few_refreshes() -> None:
    symbols: list[Symbol] = []
    for n in range(40):
        symbols.append(Symbol(f"T{n:02}"))
        symbols += [Symbol(f"T{n:02}_{m}", (f"T{n:02}",), default=True) for m in range(20)]
    made = stack(toy(*symbols))
    wanted = ["CONFIG_T03=y", "CONFIG_T04=y", "CONFIG_T17=y", "CONFIG_T39=y"]
    before = len(made.known)
    assert lines(found(made, edit(made, *wanted))) == wanted
    assert len(made.known) - before < 10


def test_what_a_line_by_hand_opens_is_left_to_its_defaults() -> None:
    made = stack(toy(*MENU))
    by_hand = lay_over(made.config(()), merge(parse("CONFIG_NET=y", "x")))
    result = found(made, by_hand)
    assert lines(result) == ["CONFIG_NET=y"]
    assert "CONFIG_IPV6=y" in result.config


def test_text_and_numbers_are_kept_like_switches() -> None:
    made = Stack('CONFIG_NAME="old"\nCONFIG_SIZE=4\n', (), (), refresh=lambda config: config)
    result = found(made, 'CONFIG_NAME="a b"\nCONFIG_SIZE=0x10\n')
    assert lines(result) == ['CONFIG_NAME="a b"', "CONFIG_SIZE=0x10"]


def test_a_line_of_the_recipe_that_the_edit_takes_back_is_overruled() -> None:
    """Else the build would look for it and say that it has vanished."""
    made = stack(toy(*MENU), below="CONFIG_NET=y\nCONFIG_IPV6=y\nCONFIG_DEBUG=y")
    result = found(made, edit(made, "# CONFIG_NET is not set"))
    assert lines(result) == ["# CONFIG_IPV6 is not set", "# CONFIG_NET is not set"]
    merged = merge((*made.below, *result.lines))
    assert vanished(result.config, merged) == ()


def test_a_line_of_the_recipe_that_never_held_is_told_and_not_papered_over() -> None:
    made = stack(toy(*MENU), below="CONFIG_BRIDGE=y\nCONFIG_GONE=y")
    result = found(made, edit(made, "CONFIG_DEBUG=y"))
    assert lines(result) == ["CONFIG_DEBUG=y"]
    assert [str(request) for request in result.broken] == ["CONFIG_BRIDGE=y", "CONFIG_GONE=y"]


def test_a_line_that_the_edit_makes_true_is_no_longer_broken() -> None:
    made = stack(toy(*MENU), below="CONFIG_BRIDGE=y")
    result = found(made, edit(made, "CONFIG_NET=y", "CONFIG_BRIDGE=y"))
    assert lines(result) == ["CONFIG_NET=y"]
    assert result.broken == ()


def test_a_feature_has_the_last_word_and_the_loss_is_told() -> None:
    made = stack(toy(*MENU), above="CONFIG_DEBUG=y")
    result = found(made, edit(made, "# CONFIG_DEBUG is not set", "CONFIG_NET=y"))
    assert lines(result) == ["CONFIG_NET=y"]
    assert [(str(request), shown) for request, shown in result.lost] == [
        ("# CONFIG_DEBUG is not set", "CONFIG_DEBUG=y")
    ]


def test_an_edit_that_a_feature_cannot_live_with_is_refused() -> None:
    made = stack(toy(*MENU), below="CONFIG_NET=y", above="CONFIG_BRIDGE=y")
    with pytest.raises(QuardError) as caught:
        found(made, edit(made, "# CONFIG_NET is not set"))
    assert caught.value.reason == "kconfig-conflict"
    assert caught.value.detail == "features: CONFIG_BRIDGE=y"


def test_a_line_by_hand_that_the_refresh_throws_away_is_told_by_name() -> None:
    made = stack(toy(*MENU))
    by_hand = lay_over(
        made.config(()), merge(parse("CONFIG_DEBUG=y\nCONFIG_BRIDGE=y\nCONFIG_NO=y", "x"))
    )
    result = found(made, by_hand)
    assert lines(result) == ["CONFIG_DEBUG=y"]
    assert [str(request) for request, _ in result.lost] == ["CONFIG_BRIDGE=y", "CONFIG_NO=y"]


def test_what_closes_with_a_switch_that_was_edited_by_hand_is_not_lost() -> None:
    made = stack(toy(*MENU), below="CONFIG_NET=y\nCONFIG_BRIDGE=y")
    by_hand = lay_over(made.config(()), merge(parse("CONFIG_NET=n", "x")))
    assert found(made, by_hand).lost == ()


def test_a_refresh_that_never_settles_is_told() -> None:
    turns = iter(range(1000))

    def refresh(config: str) -> str:
        del config
        return f"CONFIG_N={next(turns)}\n"

    made = Stack("CONFIG_N=0\n", (), (), refresh)
    with pytest.raises(QuardError) as caught:
        minimal(made, made.config(()), "CONFIG_N=5000\n")
    assert caught.value.reason == "kconfig-unsettled"


def random_menu(chance: random.Random, size: int) -> list[Symbol]:
    menu: list[Symbol] = []
    for number in range(size):
        earlier = [symbol.name for symbol in menu]
        under = tuple(chance.sample(earlier, min(len(earlier), chance.choice((0, 0, 1, 1, 2)))))
        by = tuple(chance.sample(earlier, 1)) if earlier and chance.random() < 0.15 else ()
        menu.append(Symbol(f"S{number:02}", under, chance.random() < 0.4, by))
    return menu


def random_lines(chance: random.Random, menu: list[Symbol], most: int) -> list[str]:
    names = chance.sample([symbol.name for symbol in menu], chance.randint(0, most))
    return [f"CONFIG_{name}={chance.choice('yn')}" for name in names]


@pytest.mark.parametrize("seed", range(150))
def test_any_edit_is_brought_about_by_lines_none_of_which_can_be_spared(
    seed: int, lists_hidden: bool
) -> None:
    chance = random.Random(seed)
    menu = random_menu(chance, 25)
    refresh = toy(*menu, lists_hidden=lists_hidden)
    recipe = edit(stack(refresh), *random_lines(chance, menu, 8))
    below = "\n".join(line for line in recipe.splitlines() if line.endswith("=y"))
    made = stack(refresh, below=below)
    assert vanished(made.config(()), merge(made.below)) == ()
    edited = edit(made, *random_lines(chance, menu, 10))
    result = found(made, edited)
    assert (result.lost, result.broken) == ((), ())
    assert [r.symbol for r in result.lines] == sorted(r.symbol for r in result.lines)
    assert same(made.config(result.lines), edited) and same(result.config, edited)
    assert vanished(result.config, merge((*made.below, *result.lines))) == ()
    assert found(made, edited).lines == result.lines
    for left_out in result.lines:
        rest = [request for request in result.lines if request != left_out]
        without = made.config(rest)
        gone = vanished(without, merge((*made.below, *rest)))
        assert gone or not same(without, edited), f"{left_out} could be spared"


@pytest.mark.parametrize("seed", range(40))
def test_no_smaller_set_of_lines_does_it_where_nothing_is_switched_on_by_others(seed: int) -> None:
    chance = random.Random(seed)
    menu = [Symbol(s.name, s.under, s.default) for s in random_menu(chance, 8)]
    made = stack(toy(*menu))
    edited = edit(made, *random_lines(chance, menu, 6))
    result = found(made, edited)
    everything = [ConfigLine(s, v, "x") for s, v in values(edited).items()]
    for size in range(len(result.lines)):
        for fewer in combinations(everything, size):
            assert not same(made.config(fewer), edited), fewer


def same(one: str, other: str) -> bool:
    return {s: v for s, v in values(one).items() if v} == {
        s: v for s, v in values(other).items() if v
    }


def test_changes_are_told_as_the_kernels_diffconfig_does() -> None:
    old = (
        'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_GONE=m\n# CONFIG_OFF is not set\nCONFIG_Z="1"\n'
    )
    new = (
        '# CONFIG_A is not set\nCONFIG_B=y\n# CONFIG_NEW is not set\nCONFIG_MORE=7\nCONFIG_Z="2"\n'
    )
    found_ = changes(old, new)
    assert [str(change) for change in found_] == [
        "-GONE m",
        "-OFF n",
        " A y -> n",
        " B n -> y",
        ' Z "1" -> "2"',
        "+MORE 7",
        "+NEW n",
    ]
    assert found_[0] == Change("GONE", "m", None)
    assert changes(old, old) == ()


def test_only_what_was_edited_can_be_lost() -> None:
    start = {"A": "y", "B": "y", "C": None}
    edited = {"A": "y", "B": None, "C": "y"}
    now = {"B": "y"}
    assert [str(request) for request, _ in lost(start, edited, now)] == ["# B is not set", "C=y"]
