"""The mailbox: takes every mail by SMTP, keeps the newest, delivers none."""

from __future__ import annotations

import base64
import email
import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import default
from typing import Protocol, cast

_KEPT = 2000
_CID = re.compile(r"cid:([^\"'\s)>]+)")


class Envelope(Protocol):
    """Of aiosmtpd's envelope, what we read."""

    mail_from: str | None
    rcpt_tos: list[str]
    original_content: bytes | None


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came. `recipients` are those of the envelope, blind copies included."""

    id: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=default)

    @property
    def subject(self) -> str:
        return str(self.message.get("subject", ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        return _content(self.message.get_body(("plain",)))

    @property
    def html(self) -> str:
        """The HTML part, with the pictures it brings along written into it; empty without one."""
        related = {part["content-id"].strip(" <>"): part for part in self._related()}

        def inlined(match: re.Match[str]) -> str:
            part = related.get(match[1])
            if part is None:
                return match[0]
            coded = base64.b64encode(_bytes(part)).decode()
            return f"data:{part.get_content_type()};base64,{coded}"

        return _CID.sub(inlined, _content(self.message.get_body(("html",))))

    @property
    def attachments(self) -> list[Attachment]:
        parts = self.message.iter_attachments() if self.message.is_multipart() else ()
        return [
            Attachment(
                part.get_filename() or f"part-{number}", part.get_content_type(), _bytes(part)
            )
            for number, part in enumerate(parts, start=1)
        ]

    def as_json(self, *, whole: bool = True) -> dict[str, object]:
        brief: dict[str, object] = {
            "id": self.id,
            "at": self.at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "subject": self.subject,
        }
        if not whole:
            return brief
        attachments = [
            {"name": a.name, "type": a.type, "size": len(a.content)} for a in self.attachments
        ]
        return {
            **brief,
            "headers": self.headers,
            "text": self.text,
            "html": self.html,
            "attachments": attachments,
        }

    def _related(self) -> Iterator[EmailMessage]:
        for part in self.message.walk():
            if part["content-id"] and not part.is_multipart():
                yield part


class Mailbox:
    """The newest mails, by number. An aiosmtpd handler."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self._mails: OrderedDict[int, Mail] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mails)

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        mail = Mail(
            next(self._numbers),
            self._now(),
            envelope.mail_from or "",
            tuple(envelope.rcpt_tos),
            envelope.original_content or b"",
        )
        self._mails[mail.id] = mail
        if len(self._mails) > _KEPT:
            self._mails.popitem(last=False)
        return "250 Message accepted"

    def get(self, number: int) -> Mail | None:
        return self._mails.get(number)

    def newest(self, *, to: str = "", subject: str = "") -> list[Mail]:
        """Newest first; only those to an address, or with words in the subject, where asked."""
        found = list(reversed(self._mails.values()))
        if to:
            found = [m for m in found if to.lower() in (r.lower() for r in m.recipients)]
        if subject:
            found = [m for m in found if subject.lower() in m.subject.lower()]
        return found

    def clear(self) -> None:
        self._mails.clear()


def _content(part: MIMEPart | None) -> str:
    """The text of a part; what cannot be decoded is shown with marks in its place."""
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError, KeyError):
        return _bytes(part).decode("utf-8", "replace")


def _bytes(part: MIMEPart) -> bytes:
    if part.is_multipart():
        return part.as_bytes()
    return cast(bytes, part.get_payload(decode=True)) or b""
