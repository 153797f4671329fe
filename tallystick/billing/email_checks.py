"""Whether a website's words for a mail can be sent, in every case there is."""

from __future__ import annotations

from tallystick.billing import email_samples
from tallystick.billing.email_wording import BadWording, Wording

LONGEST_SUBJECT = 200
LONGEST_BODY = 10_000


def check(key: str, subject: str, body: str) -> None:
    """Raises `BadWording` with the part, the line and the name that are wrong."""
    names = email_samples.names()
    for part, text, longest in (
        ("subject", subject, LONGEST_SUBJECT),
        ("body", body, LONGEST_BODY),
    ):
        if len(text) > longest:
            raise BadWording(f"It is longer than {longest} characters.", part=part)
        if part == "subject" and "\n" in text:
            raise BadWording("It is one line.", part=part)
        wording = Wording(text, names, part=part)
        if text:
            _try_all(key, wording, part)


def _try_all(key: str, wording: Wording, part: str) -> None:
    for case, values in email_samples.cases(key):
        if not wording.render(values).strip():
            raise BadWording(f"Nothing is left of it for {case}.", part=part)
