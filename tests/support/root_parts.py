"""Packages of pinned tools, and a folder in which roots are made of them."""

from __future__ import annotations

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
