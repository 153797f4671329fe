"""The pages of the mailbox."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tallystick.sandbox.html import Html, join, tag
from tallystick.sandbox.mailbox import Attachment, Mail
from tallystick.sandbox.pages.layout import count, empty, moment, page
from tallystick.sandbox.sandbox import Sandbox

_PAGE = 50
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_THEMES = ("light", "dark")
_LOCKED = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
_POLICY = _LOCKED + "img-src data:; style-src 'unsafe-inline'; font-src data:"


def list_page(request: Request, sandbox: Sandbox) -> Response:
    query = request.query_params
    to, subject = query.get("to", ""), query.get("subject", "")
    found = sandbox.mailbox.newest(to=to, subject=subject)
    text = query.get("page", "1")
    number = max(1, int(text)) if text.isdecimal() else 1
    shown = found[(number - 1) * _PAGE : number * _PAGE]
    headline = f"{count(len(found), 'mail').capitalize()}" + (" match." if to or subject else ".")
    content = [
        tag("section", tag("h1", headline), _search(to, subject), class_="sentence"),
        _list(shown, sandbox) if shown else empty("Mails sent to the SMTP port appear here."),
        _pages(request, number, len(found)),
    ]
    return page(request, sandbox, "Mail", tag("div", content, id="live"))


def mail_page(request: Request, sandbox: Sandbox, mail: Mail) -> Response:
    theme = request.query_params.get("theme", "light")
    theme = theme if theme in _THEMES else "light"
    facts = [
        ("From", mail.message.get("from", mail.sender)),
        ("To", ", ".join(mail.recipients)),
        ("Date", f"{mail.at:%d %B %Y, %H:%M:%S} UTC"),
    ]
    content = [
        tag("p", tag("a", "All mails", href="/mail/"), class_="quiet"),
        tag("h1", mail.subject or "(no subject)"),
        tag("dl", [tag("div", tag("dt", k), tag("dd", v)) for k, v in facts], class_="facts"),
        _attachments(mail),
        _html_part(mail, theme),
        tag("section", tag("h2", "Text part"), tag("pre", _linked(mail.text)), class_="text")
        if mail.text
        else None,
        _headers(mail),
    ]
    return page(request, sandbox, mail.subject or "Mail", tag("article", content))


def html_part(mail: Mail, theme: str) -> Response:
    """The HTML as the iframe gets it: no scripts, nothing from outside, links in a new tab."""
    scheme = f"<style>:root{{color-scheme:{theme if theme in _THEMES else 'light'}}}</style>"
    document = f'<base target="_blank">{scheme}{mail.html}'
    return HTMLResponse(document, headers={"content-security-policy": _POLICY})


def attachment(part: Attachment) -> Response:
    safe = re.sub(r"[^\w.\- ]", "_", part.name, flags=re.ASCII)
    disposition = f'attachment; filename="{safe}"'
    headers = {"content-disposition": disposition, "content-security-policy": "sandbox"}
    return Response(part.content, media_type=part.type, headers=headers)


def _list(mails: list[Mail], sandbox: Sandbox) -> Html:
    names = ("Time", "Subject", "To", "From", "")
    now = sandbox.clock.now()
    rows = [
        tag(
            "tr",
            tag("td", moment(mail.at, now)),
            tag("td", tag("a", mail.subject or "(no subject)", href=f"/mail/{mail.id}")),
            tag("td", ", ".join(mail.recipients)),
            tag("td", mail.sender),
            tag("td", count(len(mail.attachments), "attachment") if mail.attachments else ""),
        )
        for mail in mails
    ]
    head = tag("thead", tag("tr", [tag("th", name) for name in names]))
    table = tag("table", head, tag("tbody", rows))
    return tag("div", tag("div", table, class_="scroll"), class_="card")


def _search(to: str, subject: str) -> Html:
    return tag(
        "form",
        tag("input", name="to", value=to, placeholder="to", aria_label="To"),
        tag("input", name="subject", value=subject, placeholder="subject", aria_label="Subject"),
        tag("button", "Search", class_="plain"),
        class_="search",
    )


def _pages(request: Request, number: int, total: int) -> Html | None:
    last = max(1, -(-total // _PAGE))
    if last == 1:
        return None
    links = []
    for words, target in (("Newer", number - 1), ("Older", number + 1)):
        url = request.url.include_query_params(page=target)
        shown = 1 <= target <= last
        links.append(tag("a", words, href=f"?{url.query}") if shown else tag("span", words))
    return tag("nav", links[0], f"Page {number} of {last}", links[1], class_="pages")


def _attachments(mail: Mail) -> Html | None:
    parts = mail.attachments
    if not parts:
        return None
    items = [
        tag(
            "li",
            tag("a", part.name, href=f"/mail/{mail.id}/attachments/{number}"),
            tag("small", f"{part.type}, {max(1, len(part.content) // 1024):,} kB"),
        )
        for number, part in enumerate(parts)
    ]
    return tag("ul", items, class_="attachments")


def _html_part(mail: Mail, theme: str) -> Html | None:
    if not mail.html:
        return None
    links = [
        tag("a", name, href=f"?theme={name}", aria_current="true" if name == theme else None)
        for name in _THEMES
    ]
    frame = tag(
        "iframe",
        src=f"/mail/{mail.id}/html?theme={theme}",
        sandbox="allow-popups allow-popups-to-escape-sandbox",
        title="The mail as HTML",
        class_=theme,
    )
    return tag("section", tag("h2", "HTML part", tag("span", links, class_="themes")), frame)


def _headers(mail: Mail) -> Html:
    rows = [tag("tr", tag("th", name), tag("td", value)) for name, value in mail.headers]
    return tag(
        "details",
        tag("summary", f"{len(rows)} headers"),
        tag("div", tag("table", tag("tbody", rows)), class_="scroll card"),
    )


def _linked(text: str) -> Html:
    parts, at = [], 0
    for match in _LINK.finditer(text):
        parts += [text[at : match.start()], tag("a", match[0], href=match[0], target="_blank")]
        at = match.end()
    return join(*parts, text[at:])
