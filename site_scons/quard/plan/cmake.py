"""Build style: packages with a CMakeLists.txt."""

from __future__ import annotations

from quard.model import CMake
from quard.plan.context import Context
from quard.plan.plan import BUILD, RunStep, Step, WriteStep
from quard.plan.style import Style
from quard.target import processor

TOOLCHAIN = "quardroot.cmake"
"""The toolchain file, in the source folder."""
_CROSS = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {processor})
"""
_TOOLS = """\
set(CMAKE_C_COMPILER {cross}gcc)
set(CMAKE_CXX_COMPILER {cross}g++)
set(CMAKE_FIND_ROOT_PATH {roots})
set(CMAKE_SYSTEM_IGNORE_PATH /bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE {mode})
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY {mode})
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE {mode})
set(CMAKE_INSTALL_LIBDIR lib CACHE STRING "")
set(CMAKE_INSTALL_SYSCONFDIR {root}/etc CACHE STRING "")
set(CMAKE_INSTALL_LOCALSTATEDIR {root}/var CACHE STRING "")
set(BUILD_SHARED_LIBS ON CACHE BOOL "")
set(BUILD_TESTING OFF CACHE BOOL "")
"""
"""CMake searches PATH for programs, and then the system's own folders, which have more than a
recipe names. Those are ignored.

Variables in the cache are defaults: the recipe's arguments take precedence. CMake does not
report those that a project does not read, as it does for its arguments.
"""


def _toolchain(context: Context) -> str:
    """Return the content of the toolchain file (cmake-toolchains(7))."""
    triple = context.target.triple
    # Debian's cross compilers have the C library in a folder of their own, not in the sysroot.
    roots = '"{native}"' if context.native else f'"{{sysroot}}" /usr/{triple}'
    # On the build machine, the compiler's own libraries are where that finds all others.
    mode = "BOTH" if context.native else "ONLY"
    text = _TOOLS.replace("{roots}", roots).replace("{root}", context.root)
    text = text.replace("{mode}", mode)
    if not context.native:
        text = _CROSS.replace("{processor}", processor(triple)) + text
    return context.texts((text,))[0]


def steps(recipe: CMake, context: Context) -> tuple[Step, ...]:
    """Return the configure, build and install steps."""
    common = (
        *("-G", "Ninja", "-S", recipe.folder, "-B", BUILD),
        f"-DCMAKE_TOOLCHAIN_FILE={{src}}/{TOOLCHAIN}",
        "-DCMAKE_INSTALL_PREFIX={prefix}",
        "-DCMAKE_BUILD_TYPE=None",  # no flags beyond those of the board
    )
    arguments = context.texts((*common, *recipe.configure)) + context.choices()
    install = ("env", "DESTDIR={stage}", "cmake", "--install", BUILD)
    parts: list[tuple[str, ...]] = [
        ("--component", name) for name in context.texts(recipe.components)
    ]
    return (
        WriteStep("configure", TOOLCHAIN, _toolchain(context)),
        RunStep("configure", ("cmake", *arguments)),
        RunStep("build", ("ninja", "-C", BUILD, *context.texts(recipe.targets))),
        *(RunStep("install", (*install, *part), serial=True) for part in parts or ((),)),
    )


STYLE = Style(steps=steps, tools=lambda *_: ("cmake", "ninja"))
