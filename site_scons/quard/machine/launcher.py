"""Start scripts of programs that belong to the pinned tools and are used by hand, such as QEMU."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from quard.base.files import replacing
from quard.base.record import Record, record

FOLDER, GDB = "tools", "gdb-multiarch"
"""Beside the images' folder; run.sh looks there before it looks on PATH."""

_FIRMWARE = ("share/qemu", "share/seabios", "lib/ipxe/qemu")
"""Folders below usr in which Debian's QEMU looks for firmware: SeaBIOS is a package of its own."""

_MISSING = """\
    {{
        echo "error: {name} is missing"
        echo "  it is neither in the cache of the pinned tools nor on PATH"
        echo "reason: tool-missing"
        echo "hint: ./scons run fetches it again"
    }} >&2
    exit 2
"""


@record(kw_only=True)
class Program(Record):
    """A program of the pinned tools.

    words   -- start it outside of a sandbox; empty: it is not one of the pinned tools
    options -- arguments that come first
    env     -- variables that it needs
    """

    words: tuple[str, ...]
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def qemu(words: tuple[str, ...]) -> Program:
    """Return QEMU: its own folders of firmware and modules are compiled in (qemu(1), -L)."""
    if not words:
        return Program(words=())
    usr = Path(words[-1]).parents[1]
    return Program(
        words=words,
        options=tuple(word for folder in _FIRMWARE for word in ("-L", f"{usr}/{folder}")),
        env={"QEMU_MODULE_DIR": f"{usr}/lib/qemu"},
    )


def gdb(words: tuple[str, ...]) -> Program:
    """Return gdb, with its own data and the library of the Python that it contains."""
    if not words:
        return Program(words=())
    usr = Path(words[-1]).parents[1]
    return Program(
        words=words,
        options=(f"--data-directory={usr}/share/gdb",),
        # Compiled modules beside them would count as damage to the pinned tools.
        env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHOME": str(usr)},
    )


def update(folder: Path, name: str, program: Program) -> None:
    """Write the start script of one program, or remove it.

    folder -- of the scripts
    """
    script = folder / name
    if not program.words:
        script.unlink(missing_ok=True)
        return
    text = _text(name, program)
    if not script.is_file() or script.read_text(encoding="utf-8") != text:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(script) as part:
            part.write_text(text, encoding="utf-8")
            part.chmod(0o755)


def _text(name: str, program: Program) -> str:
    """Return a script. If somebody has emptied the cache, it starts the machine's own program."""
    here = " && ".join(f"[ -x {shlex.quote(word)} ]" for word in _files(program))
    sets = "".join(f"export {n}={shlex.quote(v)}\n" for n, v in sorted(program.env.items()))
    return (
        "#!/bin/sh\n"
        f"# Starts {name} of the pinned tools, with its own libraries.\n"
        f"if ! {{ {here}; }}; then\n"
        f'    command -v {name} >/dev/null && exec {name} "$@"\n'
        f"{_MISSING.format(name=name)}"
        "fi\n"
        f'{sets}exec {shlex.join((*program.words, *program.options))} "$@"\n'
    )


def _files(program: Program) -> tuple[str, ...]:
    """Return what the script starts: the dynamic loader, if there is one, and the program."""
    return tuple(dict.fromkeys((program.words[0], program.words[-1])))
