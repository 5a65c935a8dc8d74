"""Where an action has what it needs and leaves what it makes; both sides read this.

The folders below /quard and the tools in /usr are where each sealed build has them. Everything else
is below /job, out of the way of builds.
"""

from __future__ import annotations

from quard.plan.plan import Plan

JOB = "job"
"""Folder, below / as all of these."""
DATA = f"{JOB}/job.json"
ENGINE = f"{JOB}/engine"
PYTHON = f"{JOB}/python"
STORE = f"{JOB}/store"
"""A store with the parts of the packages that are needed."""
FILES = f"{JOB}/files"
OUT = f"{JOB}/out"
RESULT, LOG = "result.json", "log"
"""Names of two outputs; the others are parts."""
SEARCH = "/usr/bin:/usr/sbin"


def archive(sha256: str, file: str) -> str:
    """Return the path of a source archive; two may have one name."""
    return f"{JOB}/archives/{sha256}/{file}"


def parts(plan: Plan) -> tuple[str, ...]:
    """Return the names of the blobs that the build of a plan makes, without the log."""
    return tuple(
        sorted((*plan.target_parts, "dev", "debug", *(("deploy",) if plan.deploys else ())))
    )
