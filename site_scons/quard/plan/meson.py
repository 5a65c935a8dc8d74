"""Build style: packages with a meson.build."""

from __future__ import annotations

from quard.model import Meson
from quard.plan.context import Context
from quard.plan.plan import BUILD, RunStep, Step, WriteStep
from quard.plan.style import Style
from quard.target import processor

MACHINE = "quardroot.ini"
"""The cross file or native file, in the source folder."""
COMMON = (
    "--prefix={prefix}",
    "--libdir=lib",
    "--sysconfdir={root}/etc",
    "--localstatedir={root}/var",
    "--buildtype=plain",  # no flags beyond those of the board
    "--default-library=shared",
    "--auto-features=disabled",
    "--wrap-mode=nodownload",
)
"""Arguments passed to every `meson setup`; see Context.root."""
_BINARIES = """\
[binaries]
c = '{cross}gcc'
cpp = '{cross}g++'
ar = '{cross}gcc-ar'
nm = '{cross}gcc-nm'
strip = '{cross}strip'
pkg-config = 'pkg-config'
"""
_HOST = """\

[host_machine]
system = 'linux'
cpu_family = '{family}'
cpu = '{processor}'
endian = '{order}'

[properties]
needs_exe_wrapper = true
"""
_FAMILIES = {
    "armeb": "arm",
    "i386": "x86",
    "i486": "x86",
    "i586": "x86",
    "i686": "x86",
    "microblazeel": "microblaze",
    "mips64el": "mips64",
    "mipsel": "mips",
    "powerpc": "ppc",
    "powerpc64": "ppc64",
    "powerpc64le": "ppc64",
}
"""Processor of a triple -> Meson's name of its family, where they differ (its manual, "Reference
tables"). Products may have targets with any of them.
"""


def _machine(recipe: Meson, context: Context) -> str:
    """Return the content of the machine file (Meson's manual, "Cross compilation")."""
    text = _BINARIES
    if not context.native:
        cpu = processor(context.target.triple)
        text += _HOST.replace("{family}", _FAMILIES.get(cpu, cpu))
        text = text.replace("{processor}", cpu)
        text = text.replace("{order}", context.target.elf.order)
        text += "".join(f"{line}\n" for line in recipe.properties)
    return context.texts((text,))[0]


def steps(recipe: Meson, context: Context) -> tuple[Step, ...]:
    """Return the configure, build and install steps."""
    kind = "--native-file" if context.native else "--cross-file"
    common = tuple(word.replace("{root}", context.root) for word in COMMON)
    arguments = context.texts((*common, *recipe.configure)) + context.choices()
    folders = (BUILD, *context.texts((recipe.folder,)))
    setup = ("meson", "setup", kind, MACHINE, *arguments, *folders)
    install = ("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", "{stage}")
    tags = ("--tags", ",".join(context.texts(recipe.tags))) if recipe.tags else ()
    return (
        WriteStep("configure", MACHINE, _machine(recipe, context)),
        RunStep("configure", setup),
        RunStep("build", ("ninja", "-C", BUILD, *context.texts(recipe.targets))),
        RunStep("install", (*install, *tags), serial=True),
    )


# Projects call scripts in Python, which is what Meson itself is written in.
STYLE = Style(steps=steps, tools=lambda *_: ("meson", "ninja", "python3"))
