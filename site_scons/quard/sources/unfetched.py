"""Error messages for sources that could not be fetched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.base.space import disk_full, is_full
from quard.plan.source import Request, Variant
from quard.sources.attempt import Other
from quard.sources.mirrors import Locations

_ON_DEMAND = r"https?://(?:[^/]+/.*/(?:archive|snapshot|-/archive|get|tarball|zipball)/|codeload\.)"
"""Archives that a forge generates on request (GitHub, GitLab, Gitea, cgit, Bitbucket)."""


@record
class Failure(Record):
    """An address that did not provide the file.

    text  -- why; further lines are indented
    other -- it gave a file, but not the recipe's
    lost  -- whether nobody was reached there; None if nobody was asked
    hint  -- what the user can do about it, if anything
    """

    address: str
    text: str
    variant: Variant
    other: bool = False
    lost: bool | None = None
    hint: str = ""


def other_bytes(address: str, variant: Variant, other: Other) -> Failure:
    """Return the failure of an address that gave another file."""
    text = (
        "sent another file than expected"
        f"\n  expected {other.what} {other.expected}"
        f"\n  found {other.what}    {other.found}"
    )
    return Failure(address, text, variant, other=True)


def interrupted(package: str) -> QuardError:
    """Return the error for a fetch that the user stopped."""
    return QuardError(
        f"fetching {package} was interrupted",
        reason="interrupted",
        hint="the next build resumes it",
    )


def unusable(package: str, folder: Path, fault: OSError) -> QuardError:
    """Return the error for a cache that cannot be read or written."""
    if is_full(fault):
        instead = "[cache] dir in local.toml sets another folder"
        return disk_full(f"fetching {package}", folder, fault.strerror or "", instead=instead)
    return QuardError(
        f"cannot store the source of {package}",
        detail=str(fault),
        reason="cache-unusable",
        hint="the cache must be a writable folder; [cache] dir in local.toml sets another",
    )


def exhausted(
    request: Request, failures: Sequence[Failure], folder: Path, where: Locations
) -> QuardError:
    """Return the error for a request after every address has failed."""
    first = request.variants[0]
    supply = f"put {first.file} into {folder}, or into a folder named in local.toml: [sources] dir"
    lines = ["sources.strict: the recipe's alternates are not tried"] if request.strict else []
    lines += [f"{site}: no matching file" for site in where.folders]
    for failure in sorted(failures, key=lambda failure: failure.other):
        lines += f"{failure.address}: {failure.text}".splitlines()
    if any(failure.other for failure in failures):
        return QuardError(
            f"the source of {request.package} does not match the recipe",
            detail="\n".join(lines),
            reason="hash-mismatch",
            hint=f"{_compare(failures)}; if you have the right file, {supply}",
        )
    asked = [failure.lost for failure in failures if failure.lost is not None]
    lost = bool(asked) and all(asked)
    state = ": no host was reached" if lost else ""
    state = ": offline, the network is not used" if where.offline else state
    hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
    if lost:
        hints["check the network connection"] = None
    return QuardError(
        f"could not download the source of {request.package}{state}",
        detail="\n".join([f"wanted: {first.file}, sha256 {first.sha256}", *lines]),
        reason="no-source",
        cause="no host was reached" if lost else "",
        hint="; or ".join([*hints, supply]),
    )


def _compare(failures: Sequence[Failure]) -> str:
    """Return the hint about a file that is not the recipe's."""
    others = [failure.address for failure in failures if failure.other]
    if any(re.match(_ON_DEMAND, address) for address in others):
        return (
            "a forge generates such an archive on request, so its bytes can change while its files"
            " stay the same: compare the files with the release, then add the new sha256 to the"
            " recipe as an Alternate (docs/adding-a-package.md)"
        )
    return "compare with upstream's announcement before changing the recipe's sha256"
