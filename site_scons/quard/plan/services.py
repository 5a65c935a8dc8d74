"""Files that recipes put into images without a build: start scripts and configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quard.base import canonical
from quard.base.record import Record, record
from quard.installed import Service

if TYPE_CHECKING:
    from quard.recipes.catalog import Package

_MODE = "0755"
_SCRIPT = """\
#!/bin/sh
# Written by Quardroot, from the recipe of {package}.

# shellcheck source=functions
. /etc/init.d/functions

start() {{
	printf 'Starting {name}... '
	if daemon_pid {daemon}; then
		echo "already running"
		return 0
	fi
	{start}
	wait_ready {daemon} lasting
	report $?
}}

stop() {{
	printf 'Stopping {name}... '
	stop_daemon {daemon}
	report $?
}}

service_action "$@"
"""
_NAME_LENGTH = 15
"""Characters of a process's name that the kernel keeps (TASK_COMM_LEN, without the final zero)."""


@record
class Placed(Record):
    """One file.

    path   -- on the target, without a leading slash
    mode   -- octal digits
    sha256 -- of the file's content, or of the text as canonical JSON
    file   -- where it is, if it is not `text`
    runs   -- path of the program that a start script of ours runs
    user   -- whom it runs as
    """

    package: str
    path: str
    mode: str
    sha256: str
    file: str = ""
    text: str = ""
    runs: str = ""
    user: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """All of it that decides what is in the image."""
        return self.package, self.path, self.mode, self.sha256


def placed(package: Package, enabled: Mapping[str, bool]) -> tuple[Placed, ...]:
    """Return the files of one package, sorted by path.

    enabled -- service -> whether its start script is among them; all services of the recipe
    Raises QuardError bad-package-file.
    """
    recipe, name = package.recipe, package.name
    found = [_beside(package, each.file, each.path, each.mode) for each in recipe.configs]
    for service in recipe.services:
        if not enabled[service.name]:
            continue
        if service.script:
            found.append(_beside(package, service.script, service.path, _MODE))
        else:
            text = script(name, service)
            digest = canonical.digest(text)
            runs, user = service.run[0], service.user
            found.append(Placed(name, service.path, _MODE, digest, text=text, runs=runs, user=user))
    return tuple(sorted(found, key=lambda each: each.path))


def _beside(package: Package, file: str, path: str, mode: str) -> Placed:
    sha256 = package.file_ref(file).sha256
    return Placed(package.name, path, mode, sha256, file=f"{package.folder}/{file}")


def script(package: str, service: Service) -> str:
    """Return the start script of a service that has none of its own."""
    program, *arguments = service.run
    daemon = program.rpartition("/")[2][:_NAME_LENGTH]
    user = "" if service.user == "root" else f"daemon_user={service.user} "
    words = " ".join(map(_quoted, (daemon, program, *arguments)))
    return _SCRIPT.format(
        package=package,
        name=service.name,
        daemon=_quoted(daemon),
        start=f"{user}start_logged {words}",
    )


def _quoted(word: str) -> str:
    """Return a word as the shell reads it back."""
    import re  # noqa: PLC0415 - few recipes need it

    return (
        word
        if re.fullmatch(r"[A-Za-z0-9_./=:,@%+-]+", word)
        else "'" + word.replace("'", "'\\''") + "'"
    )
