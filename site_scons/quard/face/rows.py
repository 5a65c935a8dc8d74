"""The current activities -> the rows of the live view, shortened to the terminal's width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tqdm import tqdm
from tqdm.utils import disp_len, disp_trim

from quard.base.plain import one_line
from quard.base.record import Record, record
from quard.face.activity import FETCH, Item, Snapshot, Transfer
from quard.face.outlook import Outlook
from quard.face.screen import Size
from quard.plan.unit import parted

_WIDE = 72
"""Columns from which a row also shows the time of its step."""
_BAR = 16
_BOLD, _CYAN, _GREEN, _YELLOW = "1", "36", "32", "33"
_STEP, _LABEL, _TIMES = 9, 24, 24
"""Usual columns of a step, of a name with its version, and of a step with its time."""


@record
class Look(Record):
    """What a terminal can show.

    encoding -- of its text
    colours  -- whether it has colours and they are wanted
    """

    encoding: str
    colours: bool

    @property
    def ascii(self) -> bool:
        """Whether bars are drawn with plain characters."""
        return self.encoding.lower().replace("-", "") != "utf8"

    def text(self, text: str) -> str:
        """Return a name as this terminal can show it, on one line."""
        return one_line(text).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def row(self, parts: Iterable[tuple[str, str]], width: int) -> bytes:
        """Return a row of at most `width` columns; each part is a text and its colour or ""."""
        shown = ""
        for text, colour in parts:
            room = max(0, width - disp_len(shown))
            fitting = text if disp_len(text) <= room else disp_trim(text, room)
            wanted = self.colours and colour and fitting
            shown += f"\x1b[{colour}m{fitting}\x1b[0m" if wanted else fitting
        return shown.encode(self.encoding, "backslashreplace")


def rows(
    now: Snapshot, outlook: Outlook, total: Sequence[str], size: Size, look: Look
) -> list[bytes]:
    """Return the rows: items in progress, downloads, and last the whole run.

    total -- words on the whole run, the most important first
    """
    width, room = size.columns - 1, most(size.lines) - 1
    fetching = {transfer.package: transfer for transfer in now.transfers}
    packages = {parted(item.name)[1] for item in now.items}
    alone = [transfer for transfer in now.transfers if transfer.package not in packages]
    entries: list[Item | Transfer] = []
    for item in now.items:
        entries.append(fetching.get(parted(item.name)[1], item) if item.phase == FETCH else item)
    entries += alone
    shown = entries[:room] if len(entries) > room else entries
    most_of_it = max(_LABEL, width // 3) if width >= _WIDE else min(_LABEL, max(8, width - _TIMES))
    lengths = (disp_len(_label(e, look, width)) for e in shown if isinstance(e, Item))
    column = min(max(lengths, default=0), most_of_it)
    found = []
    for entry in shown:
        if isinstance(entry, Item):
            found.append(_item(entry, outlook, now.time, column, width, look))
        else:
            found.append(_transfer(entry, now.time, width, look))
    hidden = len(entries) - len(shown)
    words = [*total, *([f"{hidden} not shown"] if hidden else [])]
    return [*found, look.row(_fitting(words, width, look), width)]


def most(lines: int) -> int:
    """Return how many rows the view may use on a terminal with so many lines."""
    return max(1, min(lines - 2, max(3, lines * 2 // 3)))


def clock(seconds: float) -> str:
    """Return a duration as on a clock."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _label(item: Item, look: Look, width: int) -> str:
    """Return a name with its version; only the name if both do not fit."""
    whole = look.text(f"{item.name} {item.version}".rstrip())
    label = whole if disp_len(whole) <= width else look.text(item.name)
    return disp_trim(label, width)


def _item(item: Item, outlook: Outlook, now: float, column: int, width: int, look: Look) -> bytes:
    past = outlook.like(item)
    label = _label(item, look, column)
    label += " " * (column - disp_len(label))
    spent = now - (item.began or item.since)
    whole = _against(spent, past.seconds if past else None)
    in_step = now - item.entered
    step = _against(in_step, past.steps.get(item.phase) if past else None)
    late = _YELLOW if past and past.rest(item.phase, in_step) is None else ""
    name = look.text(item.phase or "looking")
    if width >= _WIDE:
        parts = [(label, _BOLD), (f"  {name:<{_STEP}}", _CYAN), (f" {step:<13}", "")]
        parts.append((f"  total {whole}", late))
    else:
        parts = [(label, _BOLD), (f" {name}", _CYAN), (f" {whole}", late)]
    room = width - sum(disp_len(text) for text, _ in parts) - 2
    if past and room >= _BAR and width >= _WIDE:
        bar = tqdm.format_meter(
            min(spent / max(past.seconds, 0.01), 1.0),
            1.0,
            0,
            ncols=_BAR,
            ascii=look.ascii,
            bar_format="|{bar}|",
        )
        parts += [("  ", ""), (str(bar), _GREEN)]
    return look.row(parts, width)


def _against(seconds: float, last: float | None) -> str:
    return clock(seconds) if last is None else f"{clock(seconds)} of {clock(last)}"


def _transfer(transfer: Transfer, now: float, width: int, look: Look) -> bytes:
    file = look.text(transfer.file)
    package = look.text(transfer.package)
    label = package if file.startswith(package) else f"{package} "
    meter = tqdm.format_meter(
        transfer.done,
        transfer.total or 0,
        now - transfer.since,
        ncols=width,
        prefix=label + file.removeprefix(package),
        ascii=look.ascii,
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
        initial=transfer.before,
    )
    return look.row([(str(meter), "")], width)


def _fitting(words: Sequence[str], width: int, look: Look) -> list[tuple[str, str]]:
    """Return as many of the words as fit into a row, from the first on."""
    text = look.text(words[0])
    for word in words[1:]:
        longer = f"{text}, {look.text(word)}"
        if disp_len(longer) <= width:
            text = longer
    return [(text, _BOLD)]
