"""Running the scripts of a board in a sandbox, as the commands of a package's build."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import FileRef, changed
from quard.base.record import Record, record
from quard.execute.builder import Build, StepFailed
from quard.execute.copying import copy
from quard.plan.plan import RunStep
from quard.sources.trees import Listing


@record
class Given(Record):
    """A file that scripts see, as the plan has it, and where it is."""

    path: Path
    file: FileRef


def run(build: Build, given: Mapping[str, Given | Listing], fill: Callable[[Path], None]) -> None:
    """Run the steps of a build's plan, one for each script.

    given -- path in {files} -> what is there
    fill  -- fills the source folder, which is empty
    Raises QuardError hook-failed; the folder stays, so that a user can inspect it.
    """
    build.sandbox.renew()
    build.tools.fill()
    for path, each in given.items():
        place = build.work.files / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(each, Listing):
            place.mkdir()
            copy(each, place)
        else:
            _copy(each, place)
    fill(build.work.src)
    build.sandbox.hand_over(fresh=True)
    for step in build.plan.steps:
        assert isinstance(step, RunStep)
        script = step.argv[0].removeprefix("{files}/")
        try:
            build.call(step.phase, step.argv)
        except StepFailed as error:
            raise QuardError(
                f"the hook {script} failed",
                detail=error.detail,
                reason="hook-failed",
                hint=error.hint,
            ) from error
    build.sandbox.take_back()


def _copy(given: Given, place: Path) -> None:
    content = given.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != given.file.sha256:
        raise changed(given.path)
    place.write_bytes(content)
    place.chmod(0o755 if given.file.executable else 0o644)
