"""Where the Python packages are that `pypi:PROJECT/FILE` names: at the indexes of pip.

pip's own configuration says which these are (pip.conf, PIP_INDEX_URL); without any, it is pip's
default. The indexes have the simple repository API, as HTML or JSON (PEP 503, PEP 691), or are
folders laid out like it.
"""

from __future__ import annotations

import functools
import html.parser
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import requests

from quard.base import given
from quard.process.starting import run
from quard.sources import trust
from quard.sources.attempt import Failed, Limits
from quard.sources.response import FAULTS, failure, reason

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_SECONDS = 60
_DEFAULT = re.compile(r"--index-url\b[^(]*\(default\s+(https?://\S+?)\)")
_SETTINGS = re.compile(
    r"(?:(?P<variable>:env:)|(?P<general>global)|download|install)"
    r"\.(?P<name>index-url|extra-index-url|no-index)\Z"
)
_NEXT = {False: ("https://", "http://"), True: ("https://", "http://", "file://")}
"""What the addresses of files begin with, at an index on the network and at one in a folder."""
_MOST = 64 << 20
"""Limit in bytes of a project's page; the largest have some MiB."""


def addresses(path: str, near: tuple[str, ...], limits: Limits, *, offline: bool) -> Iterator[str]:
    """Yield the addresses of a file, PROJECT/FILE, at the indexes that have it.

    near    -- indexes that are asked before pip's
    offline -- only folders are asked
    An index on the network has files on the network alone: other schemes, which name files of this
    machine or run programs, are for recipes and settings.
    Raises Failed if none of them has it; it says what each one answered.
    """
    project, _, file = path.lstrip("/").rpartition("/")
    project = re.sub(r"[-_.]+", "-", project).lower()  # PEP 503
    said: list[str] = []
    found = False
    for index in (*near, *indexes()):
        page = f"{index.rstrip('/')}/{project}/"
        if offline and not page.startswith("file:"):
            said.append(f"{page}: not tried: offline")
            continue
        try:
            links = _links(page, limits)
        except Failed as fault:
            said.append(f"{page}: {fault}")
            continue
        if file not in links:
            said.append(f"{page}: has no {file}")
        elif not links[file].startswith(_NEXT[page.startswith("file:")]):
            said.append(f"{page}: gives an address that is not one for files: {links[file]}")
        else:
            found = True
            yield links[file]
    if not found:
        raise Failed("\n  ".join(said) or "pip has no index of packages")


@functools.cache
def indexes() -> tuple[str, ...]:
    """Return the indexes that pip uses on this machine, in its order; none without pip."""
    found = _settings(_pip("config", "list"))
    if found.get("no-index", ["0"])[-1].lower() in ("1", "true", "yes", "on"):
        return ()
    index = found.get("index-url") or _DEFAULT.findall(_pip("download", "--help"))
    return tuple(dict.fromkeys((*index, *found.get("extra-index-url", ()))))


def _settings(listed: str) -> dict[str, list[str]]:
    """Return name -> values of what pip lists, whose order differs between versions of pip.

    As in pip (Configuration, "Precedence / Override order"), a variable comes before files, and
    there a command's section before the general one.
    """
    found: dict[str, dict[int, list[str]]] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        if match := _SETTINGS.match(name):
            rank = 2 if match["variable"] else 0 if match["general"] else 1
            values = found.setdefault(match["name"], {}).setdefault(rank, [])
            values += value.strip("'\"").replace("\\n", " ").split()
    return {name: ranked[max(ranked)] for name, ranked in found.items()}


def _pip(*words: str) -> str:
    """Return what a command of pip prints; empty if it fails."""
    # -P: not a folder `pip` of the one in which this was started
    pip = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check")
    try:
        answer = run(("env", "COLUMNS=1000", *pip, *words), timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode(errors="replace") if answer.returncode == 0 else ""


def _links(page: str, limits: Limits) -> dict[str, str]:
    """Return the files of a project's page: name -> address. Raises Failed."""
    if page.startswith("file:"):
        folder = Path(unquote(urlsplit(page).path))
        try:
            if not (folder / "index.html").exists():
                return {path.name: path.as_uri() for path in sorted(folder.iterdir())}
            text = given.text(folder / "index.html", errors="replace")
        except OSError as fault:
            raise Failed(reason(fault)) from None
        return _read(_html, text, page)
    with requests.Session() as session:
        session.headers.update({"Accept": _ACCEPT, "User-Agent": "quardroot"})
        try:
            trust.mount(session, page)
            timeout = (limits.connect, limits.read)
            with session.get(page, timeout=timeout, stream=True) as answer:
                if answer.status_code != requests.codes.ok:
                    raise Failed(f"HTTP {answer.status_code} {answer.reason or ''}".rstrip())
                text = _text(answer)
                kind, final = answer.headers.get("Content-Type", ""), answer.url
        except trust.Unusable as fault:
            raise Failed(f"TLS: {fault}") from None
        except FAULTS as fault:
            raise failure(fault, page, timeout) from None
    return _read(_json if "json" in kind else _html, text, final)


def _text(answer: requests.Response) -> str:
    data = b""
    for chunk in answer.iter_content(1 << 20):
        data += chunk
        if len(data) > _MOST:
            raise Failed(f"sends more than {_MOST >> 20} MiB")
    return data.decode("utf-8", "replace")


def _read(how: Callable[[str, str], dict[str, str]], text: str, page: str) -> dict[str, str]:
    """Return the files of a page that was read; Failed for one that no index would send."""
    try:
        return how(text, page)
    # The parsers are not made for hostile pages: html.parser has assertions about its input.
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError) as fault:
        raise Failed(f"its answer is not that of an index: {fault}") from None


def _json(text: str, page: str) -> dict[str, str]:
    files = json.loads(text)["files"]
    return {str(file["filename"]): urljoin(page, str(file["url"])) for file in files}


def _html(text: str, page: str) -> dict[str, str]:
    reader = _Links()
    reader.feed(text)
    return {
        unquote(link.partition("#")[0]).rpartition("/")[2]: urljoin(page, link).partition("#")[0]
        for link in reader.links
    }


class _Links(html.parser.HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]
