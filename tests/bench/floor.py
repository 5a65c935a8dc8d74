"""What plain SCons costs for a graph of the same shape, without any of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import checkout
from bench.running import Cost, run
from bench.synthetic import Shape

_SCONSTRUCT = """\
import gc
import json

gc.disable()
DefaultEnvironment(tools=[])
env = Environment(tools=[])
env.Decider("content")
SetOption("max_drift", -1)
SetOption("silent", True)


def make(target, source, env):
    with open(str(target[0]), "w") as file:
        file.write(str(target[0]))


out = Dir("out")
with open("packages.json") as file:
    packages = json.load(file)
for name, needs in packages.items():
    made_of = [Value(name), *(out.File(need) for need in needs)]
    env.Command([out.File(name)], made_of, make)
Default(out)
"""


class Floor:
    """A project in `folder` with one Command for each package, which depends on its needs'."""

    def __init__(self, folder: Path, shapes: Sequence[Shape]) -> None:
        folder.mkdir()
        self._folder = folder
        packages = {shape.name: shape.needs for shape in shapes}
        (folder / "packages.json").write_text(json.dumps(packages), encoding="utf-8")
        (folder / "SConstruct").write_text(_SCONSTRUCT, encoding="utf-8")
        self.run()

    def run(self) -> Cost:
        """Build; only the first time is there anything to do."""
        return run(checkout.plain_scons(), self._folder)
