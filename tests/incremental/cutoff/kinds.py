"""The kinds of change by name, and how often each is drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from incremental.cutoff import changes, package_changes
from incremental.cutoff.model import Library

Change = Callable[[Library, random.Random], Library]

BODY = "function body"
"""The kind that must never reach the dependants of a shared library."""

QUIET: Mapping[str, Change] = {
    BODY: changes.function_body,
    "literals, static variables": changes.literals,
    "private function": changes.private_function,
    "private data": changes.private_data,
    "private alignment": changes.private_alignment,
    "initial value": changes.initial_value,
    "order in the source": changes.order,
    "compiler flag": changes.compiler_flag,
    "linker flag": changes.linker_flag,
    "zero or not": changes.zero_or_not,
}
"""What a dependant of a shared library hardly ever notices: where a cutoff could go wrong."""

LOUD: Mapping[str, Change] = {
    "imports": changes.imports,
    "new symbol": changes.new_symbol,
    "removed symbol": changes.removed_symbol,
    "renamed symbol": changes.renamed_symbol,
    "weak symbol": changes.weak,
    "visibility": changes.visibility,
    "ifunc, constructor": changes.function_form,
    "data size": changes.data_size,
    "data type": changes.data_type,
    "data alignment": changes.data_alignment,
    "const": changes.const,
    "relocated data": changes.relocated,
    "thread-local": changes.thread_local,
    "unique, label": changes.data_form,
    "alias": changes.alias,
    "alias target": changes.alias_target,
    "version script": changes.version_script,
    "symbol version": changes.symbol_version,
    "absolute symbol": changes.absolute,
    "linker warning": changes.warning,
    "soname": package_changes.soname,
    "file name": package_changes.file_name,
    "needed": package_changes.needed,
    "static content": package_changes.archive,
    "static or shared": package_changes.static_or_shared,
    "pkg-config flags": package_changes.pkg_config,
    "config script": package_changes.config_script,
    "macro": package_changes.macro,
    "enum value": package_changes.enum,
    "inline function": package_changes.inline,
    "struct layout": package_changes.structure,
    "header comment": package_changes.comment,
    "new header": package_changes.header,
    "prototypes": package_changes.prototypes,
}
"""What some dependant might well notice."""

KINDS = {**QUIET, **LOUD}
DEPENDENCY = "dependency: "
SEVERAL = "several"
_QUIET_WEIGHT = 3
_TRIES = 20


def changed(library: Library, rolls: random.Random, kinds: tuple[str, ...]) -> tuple[str, Library]:
    """Return the kind of a change, drawn from `kinds`, and the changed library."""
    weights = [_QUIET_WEIGHT if kind in QUIET else 1 for kind in kinds]
    for _ in range(_TRIES):
        kind = rolls.choices(kinds, weights)[0]
        found = KINDS[kind](library, rolls)
        if found != library:
            return kind, found
    raise ValueError(f"nothing of {', '.join(kinds)} applies to {library}")
