"""A package that Kconfig configures, with a Kconfig of a few lines in awk and an editor in sh.

The editor reads words from the terminal: `set SYMBOL VALUE`, `save`, `quit`. It switches the
terminal's echo off, as every editor does, and on again only when it ends by itself.
"""

from __future__ import annotations

from incremental.project import Project

RECIPE = """\
from quard.model import Feature, Install, Kconfig, Source
RECIPE = Kconfig(
    summary="a program with a menu",
    version="{version}",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    tools=("stty",),
    variables=("CC={{cross}}gcc",),
    base="allnoconfig",
    refresh="oldconfig",
    fragments=("menu.fragment",),
    make=("menu",),
    finish=(Install("menu", "usr/bin/menu", mode="0755"),),
    {more}
)
"""
MAKEFILE = """\
menu: menu.c .config
\tawk -F= '/^CONFIG_/ { print "#define " $$1 " \\"" $$2 "\\"" }' .config >config.h
\t$(CC) $(CFLAGS) -o $@ menu.c
allnoconfig:
\t: >.config
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
oldconfig:
\tawk -f conf.awk .config Kconfig >.new && mv .new .config
\techo refreshed
menuconfig: allowed
\tsh edit.sh
allowed:
\ttest ! -e broken
"""
CONF = """\
# Symbol, default, and the symbol that must be on for it to be there.
FILENAME == ARGV[1] {
    if ($0 ~ /^CONFIG_/) { split($0, part, "="); given[part[1]] = part[2] }
    if ($0 ~ /is not set$/) given[$2] = "n"
    next
}
$3 == "" || value[$3] == "y" {
    name = "CONFIG_" $1
    value[$1] = name in given ? given[name] : $2
    print value[$1] == "n" ? "# " name " is not set" : name "=" value[$1]
}
"""
KCONFIG = """\
NET n
INET y NET
IPV6 y NET
DEBUG n
TRACE n DEBUG
LEVEL 3 DEBUG
"""
EDITOR = """\
stty -echo
cp .config .edit
printf 'the menu> '
while read -r word symbol value; do
    case $word in
        set) grep -v "CONFIG_$symbol[ =]" .edit >.more; echo "CONFIG_$symbol=$value" >>.more
            mv .more .edit ;;
        save) awk -f conf.awk .edit Kconfig >.new && mv .new .config ;;
        fail) exit 3 ;;
        quit) break ;;
    esac
    printf 'the menu> '
done
stty echo
"""
CODE = """\
#include "config.h"
int main(void) { return 0; }
"""
FEATURE = """\
features=(
        Feature("trace", summary="tells more", on=("CONFIG_DEBUG=y", "CONFIG_TRACE=y"),
                off=("# CONFIG_TRACE is not set",)),
    ),"""


def menu(
    project: Project,
    fragment: str = "CONFIG_NET=y\n",
    *,
    version: str = "1",
    kconfig: str = KCONFIG,
    more: str = "",
) -> None:
    """Add the package `menu`, or change it.

    fragment -- the recipe's own
    """
    files = {
        "Makefile": MAKEFILE,
        "conf.awk": CONF,
        "Kconfig": kconfig,
        "edit.sh": EDITOR,
        "menu.c": CODE,
    }
    url, sha256 = project.archive("menu", version, files)
    folder = project.folder / "packages/menu"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.py").write_text(
        RECIPE.format(url=url, sha256=sha256, version=version, more=more)
    )
    (folder / "menu.fragment").write_text(fragment)
