"""A package's build as data: all of its inputs by their digests, and nothing of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quard.base.record import Record, record
from quard.ledger.basis import RECORD
from quard.plan.plan import Plan
from quard.plan.reading import read_plan
from quard.target import ElfAbi


@record(kw_only=True)
class Job(Record):
    """One package to build. A JobPlace finds the inputs and says where to work.

    plan -- what is done; it has the digests of the accepted archives, the patches and the files,
            or that of the local tree
    now  -- what the result would be made from, with the first archive (ledger.basis)
    abi  -- of the programs that the package may have. A result is kept without it: when a target
            is corrected, the root file systems are checked again, not each package
    dev  -- the digest of the dev part of every package in the plan's needs and links, by name
    native -- the digests of the parts in the plan's natives
    """

    plan: Plan
    now: Mapping[str, Any]
    abi: ElfAbi
    dev: Mapping[str, str]
    native: Mapping[str, str]

    def basis(self, archive: str) -> dict[str, Any]:
        """Return what the result is made from if this archive is unpacked; "": none is."""
        return {**self.now, "archive": archive}

    def as_json(self) -> dict[str, Any]:
        """Return the job as plain data."""
        return {
            "plan": self.plan.as_json(),
            "now": {name: value for name, value in self.now.items() if name != "plan"},
            "abi": [self.abi.machine, self.abi.bits, self.abi.order, *self.abi.flags],
            "dev": dict(self.dev),
            "native": dict(self.native),
        }


def read_job(data: Mapping[str, Any]) -> Job:
    """Return the job with these data.

    Raises ValueError for data that are not a job of this version of the build system.
    """
    try:
        plan, now = read_plan(data["plan"]), dict(data["now"])
        machine, bits, order, mask, value = data["abi"]
        job = Job(
            plan=plan,
            now={**now, "plan": plan.instructions()},
            abi=ElfAbi(machine, bits, order, (mask, value)),
            dev=dict(data["dev"]),
            native=dict(data["native"]),
        )
        whole = set(job.dev) == {*plan.needs, *plan.links} and set(job.native) == {*plan.natives}
        record = now["record"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the data of a job: {error!r}") from error
    if record != RECORD or not whole:
        raise ValueError("a job with other records, or without a part of a package")
    return job
