"""Options of packages, which boards set; part of the vocabulary in quard.model."""

from __future__ import annotations

from quard.base.record import Record, record


class Adds(tuple[tuple[str, object], ...]):
    """What a recipe has in addition while a feature is on, as pairs of name and value.

    Each is a list, which follows that of the recipe's field with the same name.
    """

    __slots__ = ()

    def __new__(cls, **fields: object) -> Adds:
        return super().__new__(cls, [(name, fields[name]) for name in sorted(fields)])

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        """Return the arguments that create an equal object, for copying and pickling."""
        return (), dict(self)


@record
class Feature(Record):
    """An option of a package that the board sets; both branches are always written out.

    on, off -- arguments of the configure step (Kconfig packages: configuration lines)
    needs   -- packages that the `on` branch needs to build
    natives -- packages for the build machine whose programs the `on` branch calls
    runtime -- packages that the `on` branch needs on the target only
    kernel  -- options of the kernel that the `on` branch relies on, as in a recipe
    default -- the choice if the board does not set it
    adds    -- further fields of the recipe that the `on` branch adds to
    """

    name: str
    summary: str
    on: tuple[str, ...]
    off: tuple[str, ...]
    needs: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    kernel: tuple[str, ...] = ()
    default: bool = False
    adds: Adds | None = None
