"""Plans of a board's hooks: scripts that run as the commands of a package's build do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from quard.base.record import Record, record
from quard.boards.root import Root
from quard.boards.trees import parted
from quard.plan.image import ImagePlan, RootfsPlan
from quard.plan.plan import Plan, RunStep

Stage = Literal["post-root", "post-image"]
POST_ROOT: Stage = "post-root"
POST_IMAGE: Stage = "post-image"


@record
class Calls(Record):
    """The scripts of one stage, as a part of the plan of what is made with them.

    build   -- identity of the plan that runs them
    scripts -- (name, digest), in their order
    inputs  -- (name, digest) of what they see besides
    tools   -- commands that they call besides the common ones
    """

    build: str
    scripts: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    tools: tuple[str, ...]


@record(kw_only=True)
class HookedRootfsPlan(RootfsPlan):
    """A root file system whose files are changed by scripts before they are packed."""

    hooks: Calls

    @property
    def called(self) -> tuple[str, ...]:
        return self.hooks.tools


@record(kw_only=True)
class HookPlan(ImagePlan):
    """Files that scripts make from images.

    images -- names of the images' files that the scripts see
    """

    hooks: Calls
    images: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def called(self) -> tuple[str, ...]:
        return self.hooks.tools


def scripts(root: Root, stage: Stage) -> tuple[str, ...]:
    """Return the names of a root's scripts."""
    if root.hooks is None:
        return ()
    return root.hooks.post_root if stage == POST_ROOT else root.hooks.post_image


def calls(root: Root, stage: Stage, digests: Mapping[str, str]) -> Calls:
    """Return the scripts of a root, which has some.

    digests -- of the files and folders that the hooks of the board name
    """
    assert root.hooks is not None
    return Calls(
        build=plan(root, stage).identity,
        scripts=tuple((name, digests[name]) for name in scripts(root, stage)),
        inputs=tuple((name, digests[name]) for name in root.hooks.inputs),
        tools=root.hooks.tools,
    )


def plan(root: Root, stage: Stage) -> Plan:
    """Return the plan that runs the scripts of a root.

    They begin in the source folder, which has the files of the root or the images. What they make
    of images is in the staging folder.
    """
    assert root.hooks is not None
    places = {POST_ROOT: {"ROOT": "{src}"}, POST_IMAGE: {"IMAGES": "{src}", "OUT": "{stage}"}}
    env = {"BOARD": root.board, "FILES": "{files}", **places[stage]}
    return Plan(
        name=stage,
        version=root.name or root.board,
        triple=root.configuration.target.triple,
        tools=tuple(sorted(root.hooks.tools)),
        env=tuple(sorted(env.items())),
        steps=tuple(
            RunStep("build", (f"{{files}}/{parted(name)[1]}",)) for name in scripts(root, stage)
        ),
    )
