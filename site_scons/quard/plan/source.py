"""A recipe's sources: the accepted digests, the requests to the fetcher, and local folders."""

from __future__ import annotations

from collections.abc import Mapping

from quard.base.record import Record, record
from quard.model import Folder, Git, Recipe, Source
from quard.recipes.placeholders import render
from quard.sites import GIT, file_name

TOP = ""
"""The folder of the archive that is unpacked as the source tree itself."""
_SHORT = 12


@record
class Variant(Record):
    """One archive of a release: the file's name, the hash of its bytes, and their addresses.

    size -- in bytes; 0 if the recipe does not give it
    """

    file: str
    sha256: str
    addresses: tuple[str, ...]
    size: int = 0


@record
class Request(Record):
    """A request for one of a package's archives: any one of the variants, upstream's first.

    strict -- the recipe has alternates, which the settings exclude
    into   -- the folder of the source tree that it is unpacked as, or TOP
    """

    package: str
    variants: tuple[Variant, ...]
    strict: bool = False
    into: str = TOP

    def variant(self, sha256: str) -> Variant | None:
        """Return the variant with these bytes."""
        return next((one for one in self.variants if one.sha256 == sha256), None)


@record
class Tree(Record):
    """The local folders that a package is built from.

    digest     -- of the content of the one that is built instead of the archive; "" if none is
    configured -- it has a configure script, as releases do and developers' checkouts do not
    whole      -- it has all of the recipe's archives but those of features, patched: the package
                  is being edited
    folders    -- (folder of the source tree, digest) of the recipe's own folders in it
    own        -- the digest is that of the recipe's own folder: a board may have another source
    """

    digest: str = ""
    configured: bool = False
    whole: bool = False
    folders: tuple[tuple[str, str], ...] = ()
    own: bool = False

    def for_recipe(self, recipe: Recipe) -> Tree:
        """Return it for a package with this recipe, in which a board may have another source."""
        if self.own and not isinstance(recipe.sources[0], Folder):
            return Tree(folders=self.folders)
        return self


def accepted(recipe: Recipe, *, strict: bool = False) -> tuple[str, ...]:
    """Return the digests that are accepted for the source tree's archive, upstream's first.

    strict -- only upstream's
    """
    for source in archives(recipe):
        if source.into == TOP:
            alternates = () if strict else source.alternates
            return (source.sha256, *(other.sha256 for other in alternates))
    return ()


def further(recipe: Recipe, *, whole: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the folder and the digest of each archive that is unpacked as a folder in the tree.

    whole -- the tree has the recipe's own: those that features add are left
    """
    found = ((source.into, source.sha256) for source in archives(recipe) if source.into != TOP)
    return tuple(each for each in found if not whole or each[0] in added(recipe))


def added(recipe: Recipe) -> frozenset[str]:
    """Return the folders of the archives that features of a recipe add, on or off."""
    adds = (each for feature in recipe.features for each in feature.adds or ())
    lists = (value for name, value in adds if name == "sources" and isinstance(value, tuple))
    return frozenset(one.into for sources in lists for one in sources)


def laid_in(recipe: Recipe) -> tuple[Folder, ...]:
    """Return the recipe's own folders that are copied as folders in the tree."""
    return tuple(one for one in recipe.sources if isinstance(one, Folder) and one.into != TOP)


def archives(recipe: Recipe) -> tuple[Source, ...]:
    """Return a recipe's archives; a source of git is kept as one, a folder is none."""
    found = (one for one in recipe.sources if not isinstance(one, Folder))
    return tuple(one if isinstance(one, Source) else _archive(one) for one in found)


def expected_size(recipe: Recipe) -> int:
    """Return the size of a recipe's archives in bytes, as far as it says; 0 if it says nothing.

    An alternate has almost the size of the archive that it stands for.
    """
    return sum(
        one.size or max((other.size for other in one.alternates), default=0)
        for one in archives(recipe)
    )


def _archive(git: Git) -> Source:
    query = f"commit={git.commit}" + ("&submodules=1" if git.submodules else "")
    address, *mirrors = (f"{GIT}{one}#{query}" for one in (git.address, *git.mirrors))
    provenance = "the commit's name"
    return Source(address, git.tree, provenance, tuple(mirrors), into=git.into)


def requests(name: str, recipe: Recipe, *, strict: bool = False) -> tuple[Request, ...]:
    """Return the requests for a recipe's archives, in its order.

    Upstream's archive comes first in each, then the alternates, unless `strict`.
    """
    values = {"name": name, "version": recipe.version}
    return tuple(_request(name, source, values, strict=strict) for source in archives(recipe))


def _request(name: str, source: Source, values: Mapping[str, str], *, strict: bool) -> Request:
    urls = tuple(render(url, values) for url in (source.address, *source.mirrors))
    variants = [Variant(_file(urls[0]), source.sha256, urls, source.size)]
    for other in () if strict else source.alternates:
        url = render(other.address, values)
        variants.append(Variant(_file(url), other.sha256, (url,), other.size))
    excluded = strict and bool(source.alternates)
    return Request(name, tuple(variants), strict=excluded, into=source.into)


def _file(address: str) -> str:
    """Return the name of the file that an address gives; of a commit it has the beginning."""
    if not address.startswith(GIT):
        return file_name(address)
    repository, _, query = address.rpartition("#")
    commit = query.removeprefix("commit=")[:_SHORT]
    return f"{file_name(repository).removesuffix('.git')}-{commit}.tar"
