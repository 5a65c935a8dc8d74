"""The workers of a run: packages are sent to them, and what they make is checked and kept.

Whatever goes wrong there, the package is built here instead, and one line says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)

from quard.base.plain import one_line, short
from quard.base.record import Record, record
from quard.dispatch.execution import Execution, Incomplete, NoWorker
from quard.dispatch.folder import Folder
from quard.dispatch.inputs import Inputs, Order
from quard.dispatch.merkle import Encoded, encode
from quard.dispatch.outcome import Outcome, Wrong
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.execute.sources import Archives
from quard.execute.workers import Facts
from quard.process.slots import Slots
from quard.process.stop import Stop
from quard.process.system import System
from quard.remote.cas import Blob, Cas
from quard.remote.credentials import Credentials
from quard.remote.grpc_failure import Denied
from quard.remote.link import Link, Stopped, Unusable
from quard.remote.reapi import Channel
from quard.sources.attempt import Failed
from quard.sources.watch import amount
from quard.store.stores import Stores

_USER = "1000"
_PROCESSORS = {"x86_64": "x86-64", "aarch64": "aarch64"}
"""Names of processors in platform properties (REAPI, platform.md)."""
_MOST_REASON = 200
WAIT = "wait"
"""The phase in which a package takes no time of its own (face.activity)."""


@record(kw_only=True)
class Service(Record):
    """Where workers are, and how long to wait for one.

    address -- grpc:// or grpcs://
    queue   -- seconds that a package may wait for a worker
    machine -- the processor that they must have, as uname(2) names it
    """

    address: str
    credentials: Credentials
    queue: int
    machine: str


class Workers:
    """Builds packages with the workers of one server; several threads may use it at once.

    tell -- called with a line of text for the user
    """

    def __init__(
        self,
        service: Service,
        stores: Stores,
        python: Callable[[], System],
        slots: Slots,
        stop: Stop,
        tell: Callable[[str], None],
    ) -> None:
        self._service = service
        self._stores = stores
        self._inputs = Inputs(stores, python)
        self._slots = slots
        self._stop = stop
        self._tell = tell
        self._encoding = threading.Lock()
        self._known: dict[Folder, Encoded] = {}
        self._there: set[str] = set()
        """Blobs that the server was seen to have in this run."""
        self._begun = False
        self._sending = threading.Lock()
        self._sent = 0
        """Bytes."""
        # Two channels: one moves blobs and ends at once, the other one can cancel actions then.
        link = Link(f"the execution service at {self.host}", tell)
        self._asking, self._moving = (
            Channel(service.address, service.credentials, each) for each in (link, link.beside())
        )
        self._cas = Cas(self._moving)

    @property
    def host(self) -> str:
        """The name of the server for users."""
        return urlsplit(self._service.address).netloc.rpartition("@")[2]

    def finish(self) -> str:
        return f"sent {amount(self._sent)} to {self._moving.link.name}" if self._sent else ""

    def stop(self) -> None:
        """End all transfers soon; actions are cancelled by the threads that wait for them."""
        self._moving.link.stop()
        self._moving.close()

    def build(
        self,
        job: Job,
        place: JobPlace,
        archives: Archives,
        tools: tuple[System, str],
        report: Callable[[str], None],
        *,
        fresh: bool,
    ) -> Facts | None:
        name = place.results.name
        try:
            report("send")
            order = self._inputs.order(job, place, archives, *tools)
            answer = self._run(name, order, report, fresh=fresh)
            report("receive")
            return Outcome(answer, job, self._cas, self.host).take(self._stores, place.log)
        except Unusable:
            self._slots.stay()  # that has been reported
        except Stopped:
            self._stop.check()
        except NoWorker as fault:
            self._say(name, str(fault))
            if not self._begun:
                self._slots.stay()
        except (Failed, Wrong, ValueError, OSError) as fault:
            self._say(name, str(fault))
        return None

    def _say(self, name: str, why: str) -> None:
        """Report that a package is built here instead."""
        self._tell(f"{name} is built here: {one_line(short(why, _MOST_REASON))}")

    def _run(
        self, name: str, order: Order, report: Callable[[str], None], *, fresh: bool
    ) -> messages.ExecuteResponse:
        if not self._asking.capabilities().execution_capabilities.exec_enabled:
            self._asking.link.give_up("it runs no actions")
        action, blobs = self._action(order)

        def begun() -> None:
            self._begun = True
            report("worker")

        for again in (True, False):
            self._send(blobs)
            report(WAIT)
            execution = Execution(
                self._asking,
                self._service.queue,
                lambda: self._stop.requested,
                lambda text: self._tell(f"{name} {text}"),
                begun,
            )
            try:
                return execution.run(action, fresh=fresh)
            except Denied as fault:
                self._asking.link.give_up(f"it builds no packages: {fault}")
            except Incomplete:
                if not again:
                    raise
                with self._sending:  # it has removed some meanwhile
                    self._there.clear()
        raise AssertionError("the last attempt returns or raises")

    def _action(self, order: Order) -> tuple[messages.Digest, dict[str, Blob]]:
        """Return an action's digest, and all blobs that the server needs for it."""
        with self._encoding:
            for folder in order.shared:
                self._known[folder] = encode(folder, self._known)
        root = encode(order.root, self._known)
        command = Blob.of(_command(order, self._service.machine).SerializeToString())
        action = Blob.of(
            messages.Action(
                command_digest=command.digest(),
                input_root_digest=root.digest,
                platform=_platform(self._service.machine),
            ).SerializeToString()
        )
        return action.digest(), {**root.blobs, command.sha256: command, action.sha256: action}

    def _send(self, blobs: Mapping[str, Blob]) -> None:
        """Send what the server lacks. Raises Unusable, Stopped, OSError."""
        # One at a time: two would send the tools twice, and share the line.
        with self._sending:
            sizes = {each: blob.size for each, blob in blobs.items() if each not in self._there}
            lacking = sorted(self._cas.missing(sizes)) if sizes else []
            self._cas.write(blobs[each] for each in lacking)
            self._sent += sum(sizes[each] for each in lacking)
            self._there.update(sizes)


def _command(order: Order, machine: str) -> messages.Command:
    command = messages.Command(
        arguments=order.words,
        output_paths=order.outputs,
        output_files=order.outputs,  # for servers of version 2.0
        platform=_platform(machine),
    )
    for name, text in sorted(order.env):
        command.environment_variables.add(name=name, value=text)
    return command


def _platform(machine: str) -> messages.Platform:
    """Return what a worker must be; it need not have anything."""
    found = messages.Platform()
    named = {
        "ISA": _PROCESSORS.get(machine, machine),
        "OSFamily": "linux",
        "unixGID": _USER,
        "unixUID": _USER,
    }
    for name, text in sorted(named.items()):
        found.properties.add(name=name, value=text)
    return found
