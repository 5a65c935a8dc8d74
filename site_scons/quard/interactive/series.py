"""Patches as commits, and commits as patches: texts, and the names of the files.

A patch with an author is written as git format-patch writes it, and one without has its message and
its change alone. Nothing in it depends on the repository, the version of git or the day.
"""

from __future__ import annotations

import email
import email.errors
import email.header
import email.utils
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from quard.base.record import Record, record
from quard.interactive.repository import DATE, UNKNOWN, Author, Repository
from quard.project.edits import Patched

ENDING = ".patch"
_CHANGE = re.compile(rb"^(?:diff |Index: |--- \S)", re.MULTILINE)
_MAIL = re.compile(rb"(?:From [0-9a-f]{40} .*\n)?(?:From|Subject|Date): ")
_TAG = re.compile(r"^(?:\[[^\]]*PATCH[^\]]*\]\s*)+")
_NUMBER = re.compile(r"(\d+)-")
_ADDRESS = re.compile(r"(.*?)<([^<>]+)>")
_CONTROLS = re.compile(r"[\0-\x1f\x7f]+")
_SPECIAL = re.compile(r'[()<>\[\]:;@,."\\]')
"""Characters that a name in a mail has only between quotes (RFC 5322, section 3.2.3)."""
_CRUD = " .,:;<>\"\\'"
"""Characters that git removes from the ends of a name."""
_LONGEST = 52
"""Characters of a subject in a file's name, as git format-patch has them."""


@record
class Commit(Record):
    """A commit; texts are as they are in the repository.

    name    -- of the commit; empty for one that is not made yet
    subject -- the first paragraph of its message, in one line
    body    -- the rest of the message
    change  -- what it does to files, as git diff-tree prints it
    """

    name: str
    author: Author
    subject: str
    body: str
    change: bytes

    @property
    def message(self) -> bytes:
        text = f"{self.subject}\n\n{self.body}" if self.body else self.subject
        return _bytes(text.rstrip("\n") + "\n")

    @property
    def text(self) -> bytes:
        """The patch."""
        body = _bytes(f"{self.body}\n" if self.body else "")
        if not self.author.is_known:
            return _bytes(f"{self.subject}\n\n") + body + (b"\n" if body else b"") + self.change
        head = (
            f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"
            f"From: {_quoted(self.author.name)} <{self.author.email}>\n"
            f"Date: {_mail_date(self.author.date)}\n"
            f"Subject: [PATCH] {self.subject}\n\n"
        )
        return _bytes(head) + body + b"---\n\n" + self.change

    def patched(self, file: str, content: bytes) -> Patched:
        """Return that it is what became of a patch."""
        return Patched(
            file,
            sha256(content).hexdigest(),
            self.subject,
            sha256(self.text).hexdigest(),
            sha256(self.change).hexdigest(),
        )


def parse(file: str, content: bytes) -> Commit:
    """Return the commit for a patch, without its name and its change.

    file -- its name, which gives the subject of a patch without one
    """
    found = _CHANGE.search(content)
    head = content[: found.start()] if found else content
    if _MAIL.match(head):
        return _mail(file, head)
    subject, body = _divide(_text(head))
    return Commit("", UNKNOWN, subject or file.removesuffix(ENDING), body, b"")


def _mail(file: str, head: bytes) -> Commit:
    rest = head.partition(b"\n")[2] if head.startswith(b"From ") else head
    payload = email.message_from_bytes(rest).get_payload(decode=True)
    body = _text(payload if isinstance(payload, bytes) else b"")
    body = re.split(r"^---\s*$", body, maxsplit=1, flags=re.MULTILINE)[0].strip("\n")
    fields = _fields(_text(rest.partition(b"\n\n")[0]))
    subject = _TAG.sub("", " ".join(_decoded(fields.get("subject", "")).split()))
    author = _author(fields.get("from", ""), _date(fields.get("date", "")))
    return Commit("", author, subject or file.removesuffix(ENDING), body, b"")


def _fields(head: str) -> dict[str, str]:
    """Return the fields of a mail as they are, by their names in lower case."""
    found: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+", " ", head).splitlines():
        name, _, text = line.partition(": ")
        found.setdefault(name.lower(), text)
    return found


def _decoded(text: str) -> str:
    """Return the text of a field, without control characters.

    One that is not ASCII is UTF-8 as it is, which git also writes, and so is one that cannot be
    decoded.
    """
    if text.isascii():
        # Text of an unknown character set, or a damaged one, stays as it is.
        with suppress(LookupError, ValueError, email.errors.HeaderParseError):
            text = str(email.header.make_header(email.header.decode_header(text)))
    return _CONTROLS.sub(" ", text)


def _author(text: str, date: str) -> Author:
    """Return the author that a field names; UNKNOWN without an address.

    A name may have a comma without quotes, as git am allows. Encoded words are decoded last: what
    is in them does not separate addresses.
    """
    if found := _ADDRESS.match(text):
        name, address = found[1].rstrip(), found[2]
        if len(name) > 1 and name[0] == name[-1] == '"':
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
    else:
        name, address = email.utils.parseaddr(text)
    name, address = _decoded(name).strip(_CRUD), _CONTROLS.sub("", address).strip()
    return Author(name or address, address, date) if address else UNKNOWN


def _quoted(name: str) -> str:
    """Return a name as git format-patch writes it, but for its characters beyond ASCII."""
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"' if _SPECIAL.search(name) else name


def _date(text: str) -> str:
    """Return the date of a mail in git's own form; `DATE` for none that git can have.

    One without a time zone is in UTC.
    """
    try:
        found = email.utils.parsedate_to_datetime(text)
        zone = found.strftime("%z") or "+0000"
        seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError):
        return DATE
    return f"{seconds} {zone}" if seconds >= 0 else DATE


def _mail_date(date: str) -> str:
    seconds, zone = date.split()
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
    moment = datetime.fromtimestamp(int(seconds), timezone(offset))
    return email.utils.format_datetime(moment)


def read(git: Repository, name: str) -> Commit:
    """Return a commit of a repository. Raises QuardError git-failed."""
    # %ad with "raw" is what git itself stores: seconds and time zone.
    form = "--format=%an%x00%ae%x00%ad%x00%B"
    found = git.text("log", "-1", "--date=raw", "--encoding=UTF-8", form, name)
    person, address, date, message = found.split("\0", 3)
    options = ("--no-renames", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
    diff = ("diff-tree", "-p", "-r", "--no-commit-id", "--src-prefix=a/", "--dst-prefix=b/")
    more = ("--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers")
    change = git.run(*diff, *options, *more, "--indent-heuristic", name)
    subject, body = _divide(message)
    return Commit(name, Author(person, address, date), subject, body, change)


def _divide(message: str) -> tuple[str, str]:
    """Return the subject and the body of a message, as git divides it."""
    first, _, rest = message.strip("\n").partition("\n\n")
    return " ".join(first.split()), rest.strip("\n")


def kept(commits: Sequence[Commit], patches: Sequence[Patched]) -> list[Patched | None]:
    """Return for each commit the patch that it was made from, as far as that can be known.

    A commit that is unchanged comes first, then one with an equal change, or with an equal subject.
    """
    found: list[Patched | None] = [None] * len(commits)
    left = list(patches)
    for matches in (_is_unchanged, _has_equal_change, _has_equal_subject):
        for place, commit in enumerate(commits):
            one = next((p for p in left if found[place] is None and matches(commit, p)), None)
            if one is not None:
                found[place] = one
                left.remove(one)
    return found


def _is_unchanged(commit: Commit, patch: Patched) -> bool:
    return sha256(commit.text).hexdigest() == patch.text


def _has_equal_change(commit: Commit, patch: Patched) -> bool:
    return sha256(commit.change).hexdigest() == patch.change


def _has_equal_subject(commit: Commit, patch: Patched) -> bool:
    return commit.subject == patch.subject


def names(commits: Sequence[Commit], patches: Sequence[Patched | None]) -> list[str]:
    """Return the names of the files for commits, in an order in which they are applied.

    patches -- for each commit the patch that it was made from. It keeps its name, and others get
               the next number, if the order of all names is then that of the commits; otherwise all
               are numbered from 1
    """
    last, found = 0, list[str]()
    for commit, patch in zip(commits, patches, strict=True):
        name = patch.file if patch else f"{last + 1:04}-{_slug(commit.subject)}{ENDING}"
        if number := _NUMBER.match(name):
            last = max(last, int(number[1]))
        found.append(name)
    if found == sorted(set(found)):
        return found
    return [f"{number:04}-{_NUMBER.sub('', name, count=1)}" for number, name in enumerate(found, 1)]


def _slug(subject: str) -> str:
    """Return a subject as a part of a file's name, as git format-patch does."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", subject)[:_LONGEST].strip("-.") or "change"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(content: bytes) -> str:
    """Return a text without null bytes, which no message of a commit can have."""
    return content.replace(b"\0", b"").decode("utf-8", "surrogateescape")
