"""Packages of pinned tools, and a folder in which roots are made of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from deb_parts import Mirror, deb, file, folder, link

from quard.base.errors import QuardError
from quard.process.stop import Stop
from quard.tools.listing import Look, quick
from quard.tools.lock import LockedPackage
from quard.tools.roots import Roots

LINKS = {"usr/bin/awk": "gawk"}


class Here:
    """Packages, and the folder in which roots are made of them."""

    def __init__(self, top: Path) -> None:
        self.mirror = Mirror(top / "mirror")
        self.cache = top / "cache" / "tools"
        self.stop = Stop()
        self.said: list[str] = []
        self.roots = Roots(self.cache, self.mirror.fetch, self.said.append, self.stop)
        self.gawk = self.mirror.add(
            "gawk",
            deb(
                folder("./usr"),
                file("./usr/bin/gawk", b"awk", 0o755),
                link("./usr/bin/igawk", "gawk"),
                file("./usr/share/common", b"same"),
            ),
        )
        self.make = self.mirror.add(
            "make", deb(file("./usr/bin/make", b"make", 0o755), file("./usr/share/common", b"same"))
        )
        self.both = (self.gawk, self.make)

    def again(self, look: Look = quick) -> Roots:
        """Return the roots as another run sees them; what it says is in `said`."""
        self.said.clear()
        return Roots(self.cache, self.mirror.fetch, self.said.append, self.stop, look)

    def refused(self, *packages: LockedPackage, links: dict[str, str] | None = None) -> QuardError:
        with pytest.raises(QuardError) as caught:
            self.roots.provide(packages, links or {})
        assert not self.roots.has(packages, links or {})
        self.is_tidy()
        return caught.value

    def is_tidy(self) -> None:
        """There is nothing but whole packages and roots, their listings, and marks of some."""
        for path in self.cache.glob("*/*"):
            beside = path.suffix in (".files", ".unsynced") and path.with_suffix("").is_dir()
            assert path.suffix in ("", ".json") or beside, path


PYTHON = f"""#!/bin/sh
unset PYTHONHOME
exec {sys.executable} "$@"
"""
"""In the place of a pinned Python, which would be much larger."""


def python(here: Here, script: str = PYTHON) -> tuple[LockedPackage, LockedPackage]:
    tag = sys.implementation.cache_tag
    interpreter = deb(
        file("./usr/bin/python3.9", script.encode(), 0o755),
        link("./usr/bin/python3", "python3.9"),
        file("./usr/lib/python3.9/base.py", b"x = {'a', 'b', 'c'}\n"),
    )
    modules = deb(
        file("./usr/lib/python3/dist-packages/tool/__init__.py", b"def f():\n    return 42\n"),
        file("./usr/lib/python3/dist-packages/tool/template.py", b"print @NAME@\n"),
        file("./usr/lib/python3/dist-packages/tool/latin.py", b"x = '\xff'\n"),
        file("./usr/lib/python3/dist-packages/tool/own.py", b"x = 1\n"),
        file(f"./usr/lib/python3/dist-packages/tool/__pycache__/own.{tag}.pyc", b"own"),
        link("./usr/lib/python3/dist-packages/tool/gone.py", "/etc/gone.py"),
        file("./usr/bin/script.py", b"x = 1\n"),
    )
    return here.mirror.add("python3.9", interpreter), here.mirror.add("tool", modules)
