"""What the engine knows about a build style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quard.base.record import Record, record
from quard.plan.context import Context
from quard.plan.plan import Step


def no_tools(recipe: Any, context: Context) -> tuple[str, ...]:
    """Return no commands: the common ones are enough."""
    del recipe, context
    return ()


@record(kw_only=True)
class Style(Record):
    """A build style: turns the fields of a recipe into steps.

    steps   -- returns the steps between the recipe's `prepare` and `finish`
    tools   -- returns the commands of the build machine that these steps call, beyond the common
               ones
    env     -- environment of every step, as (name, value); a recipe's own variables replace these
    answers -- its configure scripts ask what Autoconf's ask: the executor answers
    """

    steps: Callable[[Any, Context], tuple[Step, ...]]
    tools: Callable[[Any, Context], tuple[str, ...]] = no_tools
    env: tuple[tuple[str, str], ...] = ()
    answers: bool = False
