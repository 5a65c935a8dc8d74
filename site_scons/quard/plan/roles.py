"""Needs that name a role: the package that a root lists for it takes its place."""

from __future__ import annotations

from collections.abc import Iterable

from quard.base.errors import QuardError
from quard.boards.root import Root
from quard.recipes.catalog import Catalog, Package
from quard.recipes.graph import parted


class Roles:
    """Who has which role in a root: of the packages that it lists, those whose recipes say so."""

    def __init__(self, root: Root, catalog: Catalog) -> None:
        self._root = root
        self._catalog = catalog

    def settled(self, user: Package, needs: Iterable[str], *, seen: bool) -> set[str]:
        """Return needs of a package, with packages in place of roles.

        What has the role itself needs no other package for it. A name that is neither that of a
        package nor a role stays, and is an error when the package is looked for.

        seen -- the build sees what is needed: it must be one package. Of what is only needed on the
                target, there may be several
        Raises QuardError unsettled-role.
        """
        found: set[str] = set()
        for need in needs:
            role, part = parted(need)
            if role in self._catalog.known:
                found.add(need)
            elif role not in user.recipe.provides:
                names = self._listed(role) or self._refuse(user.name, role)
                if seen and len(names) > 1:
                    raise self._ambiguous(user.name, role, names)
                found |= {f"{name}:{part}" if part else name for name in names}
        return found

    def _listed(self, role: str) -> tuple[str, ...]:
        """Return the packages that the root lists and that have a role, in its order."""
        known = (name for name in self._root.packages if name in self._catalog.known)
        return tuple(name for name in known if role in self._catalog[name].recipe.provides)

    def _refuse(self, user: str, role: str) -> tuple[str, ...]:
        """Return a name that is none as it is. Raises QuardError for a role that nobody has."""
        from quard.recipes.roles import having  # noqa: PLC0415 - reads all recipes

        candidates = having(role, self._catalog)
        if not candidates:
            return (role,)
        raise QuardError(
            f"{user} needs the role {role}, which no package in the list of {self._where} has",
            detail=f"packages with this role: {', '.join(candidates)}",
            reason="unsettled-role",
            hint="name the package itself in the recipe's for_build=ForBuild(...)"
            if self._root.configuration.native
            else f"add one of them to `packages` in {self._root.file}",
        )

    def _ambiguous(self, user: str, role: str, names: tuple[str, ...]) -> QuardError:
        return QuardError(
            f"{user} needs one package with the role {role} to build, and {self._where} lists"
            f" {len(names)}",
            detail=", ".join(sorted(names)),
            reason="unsettled-role",
            hint=f"remove all but one of them from `packages` in {self._root.file}, or name one of"
            f" them in place of the role in the recipe of {user}",
        )

    @property
    def _where(self) -> str:
        root = self._root
        return f"the root {root.name}" if root.name else f"the board {root.board}"
