"""The classes that recipes are written with: frozen data, no behaviour, no input or output.

Text fields may hold the placeholders listed in quard.base.placeholders. Nothing else in a recipe is
computed, so the rendered plan describes a build completely. Recipes
write lists where the fields are tuples.
"""

from __future__ import annotations

from typing import Literal

from quard.base.record import Record, record
from quard.by_target import ByTarget as ByTarget
from quard.by_target import ForBuild as ForBuild
from quard.feature import Adds as Adds
from quard.feature import Feature as Feature
from quard.installed import Config as Config
from quard.installed import Part as Part
from quard.installed import Permission as Permission
from quard.installed import Service as Service
from quard.installed import Unhardened as Unhardened
from quard.installed import User as User
from quard.source import Alternate as Alternate
from quard.source import Folder as Folder
from quard.source import Git as Git
from quard.source import Source as Source
from quard.steps import Install as Install
from quard.steps import Run as Run
from quard.steps import Step as Step
from quard.steps import Symlink as Symlink
from quard.steps import Template as Template

DEPLOY = "boot"
"""Staging folder whose files go beside the images, not into the root file system."""

KERNEL = "kernel"
"""The role of the package whose configuration has the options in `kernel`."""


@record(kw_only=True)
class Recipe(Record):
    """The fields that every recipe has, whatever its build style.

    summary       -- one line for people
    version       -- upstream's
    sources       -- the source tree's archive, then those that are unpacked as folders in it; none
                     for a package made from the build machine's own files
    license       -- an SPDX expression
    license_files -- their paths in the source
    homepage      -- the project's web page
    needs         -- packages whose headers and libraries the build sees, or PACKAGE:PART
    exports       -- those of `needs` that this package's headers or pkg-config files refer to, so
                     that packages that need this one see them too
    natives       -- packages for the build machine whose programs the build calls
    runtime       -- packages needed on the target only
    features      -- options that the board sets
    tools         -- commands of the build machine beyond the common ones
    env           -- extra environment variables of every step, as (name, value)
    users         -- accounts needed on the target
    permissions   -- owners and modes that differ from root and the staged mode
    freestanding  -- why the board's hardening does not apply: the package runs without a C library
                     (a kernel, firmware), which the compiler driver cannot know; else empty
    unhardened    -- installed files that lack some of these defences, and why
    c_library     -- the C library, `glibc` or `musl`, that the package is for; empty: any
    drop          -- wildcards of staged paths that are not needed (no leading slash)
    parts         -- the parts of files whose folder does not tell it
    kernel        -- options that it relies on of the package with the role `kernel`: NAME (y or m),
                     NAME=y, or NAME=n
    services      -- what the target starts at boot
    configs       -- files beside the recipe that configure the package on the target; an overlay
                     may replace them
    expects       -- wildcards of paths like those of `drop`, each of which must match an installed
                     file: upstream's build leaves out silently what it has no use for
    fixes         -- CVE numbers that the patches beside the recipe fix
    yields_to     -- packages that keep a path which this package installs as well; "*": all
    provides      -- its roles in a root file system, of which others may be alternatives
    conflicts     -- packages that no root has together with it; or some of its own roles, which no
                     other package of the root has then
    prepare       -- steps between unpacking and configuring
    finish        -- steps after installing
    for_build     -- what differs when it is built for the build machine
    """

    summary: str
    version: str
    license: str
    sources: tuple[Source | Git | Folder, ...] = ()
    license_files: tuple[str, ...] = ()
    homepage: str = ""
    needs: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    tools: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    users: tuple[User, ...] = ()
    permissions: tuple[Permission, ...] = ()
    freestanding: str = ""
    unhardened: tuple[Unhardened, ...] = ()
    c_library: Literal["", "glibc", "musl"] = ""
    drop: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    kernel: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    configs: tuple[Config, ...] = ()
    expects: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    prepare: tuple[Step, ...] = ()
    finish: tuple[Step, ...] = ()
    for_build: ForBuild | None = None


@record(kw_only=True)
class Autotools(Recipe):
    """A configure script that GNU Autoconf generates.

    autoreconf -- generate the script first: the archive has configure.ac alone
    common     -- False: the style's own arguments are left out
    configure  -- further arguments; those of features follow
    make       -- targets and variables of the build
    install    -- targets and variables of the installation, with DESTDIR; empty: `finish` installs
    """

    autoreconf: bool = False
    common: bool = True
    configure: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    install: tuple[str, ...] = ("install",)


@record(kw_only=True)
class Configure(Recipe):
    """A configure script of the project's own, with a Makefile.

    configure -- arguments beyond --prefix; those of features follow
    make      -- targets and variables of the build
    install   -- targets and variables of the installation, with DESTDIR; empty: `finish` installs
    """

    configure: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    install: tuple[str, ...] = ("install",)


@record(kw_only=True)
class CMake(Recipe):
    """A project with a CMakeLists.txt.

    folder     -- of the CMakeLists.txt, in the source
    configure  -- further arguments, as -DNAME=VALUE; those of features follow
    targets    -- to build; empty: the default ones
    components -- to install; empty: all
    """

    folder: str = "."
    configure: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


@record(kw_only=True)
class Meson(Recipe):
    """A project with a meson.build.

    folder    -- of the meson.build, in the source
    configure -- further arguments, as -DNAME=VALUE; those of features follow
    properties -- lines NAME = VALUE of the cross file: what programs on the target would answer
    targets   -- to build; empty: the default ones
    tags      -- of the files to install; empty: all files
    """

    folder: str = "."
    configure: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@record(kw_only=True)
class Make(Recipe):
    """A Makefile without a configure script.

    variables -- passed to both runs of make; those of features follow
    make      -- targets of the build
    install   -- targets and variables of the installation; empty: `finish` installs
    """

    variables: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    install: tuple[str, ...] = ()


@record(kw_only=True)
class Kconfig(Recipe):
    """A package configured by Kconfig, such as the kernel or busybox.

    variables -- passed to every run of make
    base      -- make target that writes the base configuration
    fragments -- configuration fragments of the recipe, merged into it in this order
    refresh   -- make target that completes the configuration
    make      -- targets of the build
    install   -- targets and variables of the installation; empty: `finish` installs
    modules   -- targets that build modules; these three are skipped without CONFIG_MODULES=y
    modules_install -- targets and variables that install them below {stage}/lib/modules
    modules_finish -- commands after that: they leave what modules of other packages are built with
    devicetrees -- the folder of the source that has device trees; empty: a board can name none
    blobs     -- whether make has a target for the blob of each, as `vendor/board.dtb`, which goes
                 beside the images; else the configuration chooses the tree that is built in
    """

    variables: tuple[str, ...] = ()
    base: str = "allnoconfig"
    fragments: tuple[str, ...] = ()
    refresh: Literal["olddefconfig", "oldconfig"] = "olddefconfig"
    make: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    modules_install: tuple[str, ...] = ()
    modules_finish: tuple[Run, ...] = ()
    devicetrees: str = ""
    blobs: bool = True


@record(kw_only=True)
class KernelModule(Recipe):
    """Modules that are not part of the kernel's source, built by the kernel's Makefile.

    folder    -- of the Kbuild file or Makefile that lists the modules, in the source
    variables -- passed to both runs of make; those of features follow
    """

    freestanding: str = "kernel modules: the kernel's Makefile chooses their defences"
    folder: str = "."
    variables: tuple[str, ...] = ()


@record(kw_only=True)
class Python(Recipe):
    """A Python project: its build backend makes a wheel, whose files are installed.

    folder    -- of the project, in the source
    configure -- settings of the backend, as NAME=VALUE; those of features follow
    """

    folder: str = "."
    configure: tuple[str, ...] = ()


@record(kw_only=True)
class Custom(Recipe):
    """A package built by its own commands.

    configure -- first steps; arguments of features are appended to the first one, a Run
    build     -- steps that build the package
    install   -- steps that install into the staging folder
    """

    configure: tuple[Step, ...] = ()
    build: tuple[Step, ...] = ()
    install: tuple[Step, ...] = ()


@record(kw_only=True)
class ToolchainRuntime(Recipe):
    """Files that come with the cross compiler instead of from a source archive.

    libraries -- file names; the compiler is asked where each one is (-print-file-name). The dynamic
                 loader is added
    on_demand -- further ones, of which an image has those that its files are linked with. A
                 toolchain may lack them
    headers   -- folders of the kernel's headers
    """

    libraries: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
