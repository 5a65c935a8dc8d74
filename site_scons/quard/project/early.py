"""Errors in what a recipe says about images, found as soon as its package has a result.

The images are made last. A kernel may be built before, which takes long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quard.base.errors import QuardError, together
from quard.boards.native import NAME as BUILD
from quard.ledger.results import LostResult, read_record
from quard.plan.image import RootfsPlan
from quard.plan.resolved import Resolved
from quard.plan.unit import Unit, qualified
from quard.project.build import BoardBuild
from quard.project.rooted import naming


class Early:
    """Checks the permissions of packages against the files that each package installs."""

    def __init__(self, build: BoardBuild) -> None:
        self._build = build

    def check_known(self, units: Iterable[Unit]) -> None:
        """Check the packages whose last results are from their plans. Raises QuardError."""
        for unit in units:
            if any(self._concerned(unit)) and self._is_known(unit):
                try:
                    self._check(unit)
                except LostResult:
                    continue  # its package is made again, and checked then

    def check(self, unit: Unit) -> None:
        """Check a package that has just been made.

        Raises LostResult, and QuardError permission-unused: the record is good and stays, so the
        next run finds the error before it builds anything.
        """
        self._build.ledger.made(unit)
        self._check(unit)

    def _check(self, unit: Unit) -> None:
        for root, resolved in self._concerned(unit):
            from quard.image import rootfs  # noqa: PLC0415 - few packages have permissions
            from quard.image.layers import Layer  # noqa: PLC0415 - likewise
            from quard.image.permissions import unused  # noqa: PLC0415 - likewise

            package = resolved.packages[unit.package]
            layers = tuple(
                Layer(name, self._build.workspace.outputs.blob(unit.name, part))
                for name, part in resolved.layers
                if name == unit.package
            )
            tree = rootfs.around(self._build.images.job(self._tar(root), layers))
            with naming(root):
                found = tuple(unused(tree, package.name, package.recipe.permissions))
                if found:
                    raise _of_recipe(package.file, found)

    def _concerned(self, unit: Unit) -> Iterator[tuple[str, Resolved]]:
        """Yield the roots in which all rows of a package's permissions must be for something.

        Hooks may make any path, and a package may be there without its programs.
        """
        for root, resolved in self._build.roots.items():
            name, hooks = unit.package, resolved.root.hooks
            if (
                root != BUILD
                and name in resolved.image
                and self._build.package(qualified(root, name)).id == unit.id
                and resolved.packages[name].recipe.permissions
                and not (hooks and hooks.post_root)
                and not any(each == name for each, _ in resolved.left_out)
            ):
                yield root, resolved

    def _is_known(self, unit: Unit) -> bool:
        """Return whether the last record is from the plan: a result has the same paths then.

        The record of a package that has failed a check stays, unlike its result.
        """
        return read_record(self._build.ledger.results(unit)).get("plan") == unit.plan.identity

    def _tar(self, root: str) -> Unit:
        units = self._build.images.units.values()
        return next(u for u in units if isinstance(u.plan, RootfsPlan) and u.folder == root)


def _of_recipe(file: str, found: tuple[QuardError, ...]) -> QuardError:
    error = together(f"the permissions of {file}", found)
    if len(found) == 1:
        error.reword(f"{file}: {error.message}")
    return error
