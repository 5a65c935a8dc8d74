"""Packages that SCons need not look at, because its answer about them is known.

SCons finds a package up to date from the package's key, the content of the interfaces that it
sees, that its result files are there, and what SCons' own signature file says of it. Where all of
these, and the content of the result files besides, are what they were when SCons last gave that
answer, it would give it again. Everything is compared by content; whatever differs, or is not
known, is left to SCons. The store must still have what the result files name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quard.base.files import content, is_sha256, replacing

_VERSION = 1


@dataclass(frozen=True)
class Facts:
    """What SCons is told of one package.

    key      -- stands for all but the archive and the interfaces that it depends on
    archives -- digests of those that its result may be made from
    sees     -- packages whose interfaces it depends on
    deploys  -- it has files for the images folder
    """

    key: str
    archives: tuple[str, ...]
    sees: tuple[str, ...]
    deploys: bool


@dataclass(frozen=True)
class _Answer:
    """That a package is up to date.

    state -- digest over all that this depends on, but SCons' signature file
    blobs -- what its result files name
    """

    state: str
    blobs: tuple[str, ...]


class Unchanged:
    """Answers of earlier runs about one board, kept in a file.

    file    -- where they are kept
    results -- folder of the packages' result files
    """

    def __init__(self, file: Path, results: Path) -> None:
        self._file = file
        self._results = str(results)
        self._digests: dict[str, str] = {}
        self._answers: dict[str, _Answer] = {}

    def among(
        self,
        packages: Mapping[str, Facts],
        forced: Collection[str],
        signatures: str,
        has: Callable[[str], bool],
    ) -> frozenset[str]:
        """Return those of `packages` that are as SCons last found them, and stay so in this run.

        packages   -- what each of them is now; dependencies come first
        forced     -- packages that are made whatever they are
        signatures -- digest of SCons' signature file; "" where there is none
        has        -- tells whether the store has a blob
        """
        self._answers = self._read(signatures)
        same: set[str] = set()
        for name, facts in packages.items():
            answer = self._answers.get(name)
            # What has to be looked at may change its interface, so its users are looked at too.
            if answer is None or name in forced or not same.issuperset(facts.sees):
                continue
            if answer.state == self._state(name, facts) and all(map(has, answer.blobs)):
                same.add(name)
        return frozenset(same)

    def made(self, name: str) -> None:
        """Learn that a package's results have just been written."""
        for part in ("interface", "runtime", "deploy"):
            self._digests.pop(f"{name}.{part}", None)
            self._digest(name, part)

    def save(
        self,
        current: Mapping[str, Facts],
        signatures: str,
        blobs: Callable[[str], tuple[str, ...]],
    ) -> None:
        """Write down that SCons has found or made `current` up to date.

        Other packages' answers are kept: neither their files nor what SCons knows has changed.

        blobs -- returns what the result files of a package name
        """
        for name, facts in current.items():
            answer, state = self._answers.get(name), self._state(name, facts)
            if answer is None or answer.state != state:
                self._answers[name] = _Answer(state, blobs(name))
        rows = {name: [answer.state, *answer.blobs] for name, answer in self._answers.items()}
        value = {"version": _VERSION, "signatures": signatures, "answers": rows}
        if value == self._value():
            return
        # On a full disk the next run asks SCons.
        with contextlib.suppress(OSError), replacing(self._file) as part:
            part.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")

    def _state(self, name: str, facts: Facts) -> str:
        """Return one digest over all that SCons' answer depends on, but its signature file."""
        accepted = " ".join(facts.archives)
        lines = [
            facts.key,
            accepted,
            self._digest(name, "interface"),
            self._digest(name, "runtime"),
        ]
        if facts.deploys:
            lines.append(self._digest(name, "deploy"))
        lines += [f"{need} {self._digest(need, 'interface')}" for need in facts.sees]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _digest(self, name: str, part: str) -> str:
        """Return the SHA-256 of a result file as this run first found it or has made it."""
        file = f"{name}.{part}"
        found = self._digests.get(file)
        if found is None:
            try:
                found = hashlib.sha256(content(f"{self._results}/{file}.json")).hexdigest()
            except OSError:
                found = ""
            self._digests[file] = found
        return found

    def runtime(self, names: Iterable[str]) -> str:
        """Return one digest over what packages install, as their result files say."""
        lines = [f"{name} {self._digest(name, 'runtime')}" for name in names]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _read(self, signatures: str) -> dict[str, _Answer]:
        value = self._value()
        if not signatures or value.get("signatures") != signatures:
            return {}
        return {name: _Answer(row[0], tuple(row[1:])) for name, row in value["answers"].items()}

    def _value(self) -> dict[str, Any]:
        """Return what the file holds; nothing where it is damaged or of another engine."""
        try:
            value = json.loads(self._file.read_bytes())
            if value["version"] == _VERSION and all(map(_is_row, value["answers"].values())):
                return dict(value)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return {}


def _is_row(row: Any) -> bool:
    """Tell whether it is a state and blobs: all of them digests."""
    return isinstance(row, list) and bool(row) and all(map(is_sha256, row))
