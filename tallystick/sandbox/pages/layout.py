"""What all pages share."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tallystick.sandbox.html import Child, Html, join, tag
from tallystick.sandbox.sandbox import Sandbox

_MARK = Html(
    '<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" fill="currentColor">'
    '<path d="M2 6h28v8h-3l-2 4-2-4h-5l-2 4-2-4H9l-2 4-2-4H2z"/>'
    '<path d="M2 17h2l3 5 3-5h3l3 5 3-5h3l3 5 3-5h2v9H2z" opacity=".55"/></svg>'
)


def page(
    request: Request, sandbox: Sandbox, title: str, *content: Child, status: int = 200
) -> Response:
    """A whole page. The text of the `said` parameter is shown once, on top."""
    said = request.query_params.get("said", "")[:300]
    body = join(
        _head(request, sandbox),
        tag("main", tag("p", said, class_="said", role="status") if said else None, content),
    )
    document = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", f"{title} · Tallystick sandbox"),
            tag("link", rel="icon", href="/static/mark.svg", type="image/svg+xml"),
            tag("link", rel="stylesheet", href="/static/sandbox.css"),
            tag("script", src="/static/refresh.js", defer=True),
        ),
        tag("body", body),
        lang="en",
    )
    return HTMLResponse(f"<!doctype html>{document}", status_code=status)


def back(path: str, said: str = "") -> Response:
    """To another page, with something to say there."""
    answer = RedirectResponse("/", status_code=303)
    target = Request({"type": "http", "path": path, "query_string": b"", "headers": []}).url
    target = target.include_query_params(said=said) if said else target
    answer.headers["location"] = f"{target.path}?{target.query}" if target.query else target.path
    return answer


def moment(at: datetime, now: datetime) -> Html:
    """A time of day, or a date when it was not today; the exact one on hover."""
    words = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%d %b %H:%M}"
    return tag("time", words, datetime=at.isoformat(), title=f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3])


def count(number: int, noun: str) -> str:
    """`no calls`, `1 call`, `1,204 calls`."""
    many = f"{number:,}" if number else "no"
    return f"{many} {noun}" if number == 1 else f"{many} {noun}s"


def empty(words: str) -> Html:
    return tag("p", words, class_="empty")


def _head(request: Request, sandbox: Sandbox) -> Html:
    here = request.url.path
    links = [
        (f"/stands/{stand.name}", stand.title, here in (f"/stands/{stand.name}", "/"))
        for stand in sandbox.stands.values()
    ]
    links.append(("/mail/", f"Mail {len(sandbox.mailbox) or ''}".strip(), here.startswith("/mail")))
    shift = sandbox.clock.offset
    return tag(
        "header",
        tag("a", _MARK, tag("span", "Tallystick sandbox"), href="/", class_="brand"),
        tag(
            "nav",
            [
                tag("a", text, href=href, aria_current="page" if on else None)
                for href, text, on in links
            ],
            aria_label="Stands and mail",
        ),
        tag(
            "p",
            moment(sandbox.clock.now(), sandbox.clock.now()),
            f" UTC, {_shifted(shift)}" if shift else " UTC",
            class_="clock",
        ),
    )


def _shifted(shift: timedelta) -> str:
    way = "ahead" if shift > timedelta() else "behind"
    hours, seconds = divmod(round(abs(shift.total_seconds())), 3600)
    minutes = f"{seconds // 60} min"
    return f"{hours} h {minutes} {way}" if hours else f"{minutes} {seconds % 60} s {way}"
