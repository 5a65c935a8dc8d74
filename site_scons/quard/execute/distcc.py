"""distcc: other machines compile for a sealed build.

A host gets preprocessed source. So only C without debug information is sent, whose columns would
be different, and only from packages without hardening: what else is in the compiler's spec file is
about preprocessing and linking, which are done here. A host is asked for a program whose name
contains the identity of the compiler, so that one with another compiler refuses.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from quard.base.record import Record, record
from quard.plan.plan import Plan
from quard.process.sandbox import INSIDE, Bound, Work

_HOSTS = "hosts"
_CONNECT = Path(__file__).with_name("connect.pl")
_LOG = ".distcc-log"
_DONE = re.compile(r"compile (?!\(null\))\S+ on (\S+) completed ok")
_SENT = "-ffile-prefix-map="
"""Options of the driver that a host needs, too."""
_SCRIPT = """\
for word; do
    case $word in
        -g* | --debug* | -fsanitize* | -E | @*) exec {name} "$@" ;;
        *.[sS] | *.sx | assembler* | -xassembler*) exec {name} "$@" ;;
    esac
done
DISTCC_HOSTS={hosts} DISTCC_SSH={connect} DISTCC_LOG={log} DISTCC_IO_TIMEOUT=120 \\
    {launcher} {name} {sent} "$@"
status=$?
case $status in 1[0-9][0-9]) exec {name} "$@" ;; esac
exit $status
"""


def compiler_name(identity: str, command: str) -> str:
    """Return the name under which hosts have a compiler.

    identity -- of the tools that it belongs to
    """
    return f"quard-{sha256(identity.encode()).hexdigest()[:16]}-{command}"


@record(kw_only=True)
class Distcc(Record):
    """See quard.execute.launcher.Launcher.

    words    -- start it, and `shown` is what they need to see
    hosts    -- the folder of the socket of each host, and how many compilers it runs at a time
    jobs     -- how many compilers run here at a time
    identity -- of the tools of the board's compiler
    """

    words: tuple[str, ...]
    shown: tuple[Bound, ...]
    hosts: tuple[tuple[Path, int], ...]
    jobs: int
    identity: str

    def bound(self, plan: Plan) -> tuple[Bound, ...]:
        """See Launcher."""
        if _stays(plan):
            return ()
        places = (place for place, _ in self.hosts)
        hosts = (Bound(place, f"{INSIDE}/{_HOSTS}/{n}") for n, place in enumerate(places))
        return (*self.shown, *hosts)

    def script(self, work: Work, plan: Plan, command: Sequence[str]) -> str | None:
        """See Launcher. Assembler source stays here: it may include files that a host lacks."""
        compiler = Path(command[0]).name
        if _stays(plan) or not compiler.endswith("gcc"):
            return None
        name = compiler_name(self.identity, compiler)
        local = work.tools / name
        local.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        connect = work.tools / "lib" / _CONNECT.name
        connect.write_bytes(_CONNECT.read_bytes())
        for each in (local, connect):
            each.chmod(0o755)
        hosts = [f"--localslots={self.jobs}", f"--localslots_cpp={2 * self.jobs}"]
        hosts += [f"@{number}/{jobs}" for number, (_, jobs) in enumerate(self.hosts)]
        return _SCRIPT.format(
            name=name,
            hosts=shlex.quote(" ".join((*hosts, f"localhost/{self.jobs}"))),
            connect=f"{INSIDE}/tools/lib/{_CONNECT.name}",
            log=f"{INSIDE}/home/{_LOG}",
            launcher=shlex.join(self.words),
            sent=shlex.join(word for word in command if word.startswith(_SENT)),
        )

    def note(self, work: Work) -> str:
        """See Launcher."""
        try:
            said = (work.home / _LOG).read_text(errors="replace")
        except OSError:
            return ""
        places = _DONE.findall(said)
        there = sum(place != "localhost" for place in places)
        return f"distcc: hosts did {there} of {len(places)} compilations"


def _stays(plan: Plan) -> bool:
    """Return whether a package is compiled by this machine alone."""
    return plan.native or bool(plan.hardening) or plan.triple.endswith("musl")
