"""The console: the pages for people, and the control API beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tallystick.ports.sandboxing import BadAction, Stand
from tallystick.sandbox.control import Control
from tallystick.sandbox.html import tag
from tallystick.sandbox.mailbox import Mail
from tallystick.sandbox.pages import faults, mail, orders
from tallystick.sandbox.pages.layout import back, page
from tallystick.sandbox.pages.stand import stand_page
from tallystick.sandbox.sandbox import Sandbox
from tallystick.sandbox.wire import App, Message, Receive, Scope, Send

_STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def console(sandbox: Sandbox, rest: Callable[[float], None]) -> App:
    """The ASGI application. `rest` makes the server refuse connections for so many seconds."""
    pages = Pages(sandbox)
    control = Control(sandbox, rest)
    application = Starlette(
        routes=[
            Route("/", pages.first),
            Route("/stands/{stand}", pages.stand),
            Route("/stands/{stand}/reset", pages.reset, methods=["POST"]),
            Route("/stands/{stand}/faults", pages.fault_on, methods=["POST"]),
            Route("/stands/{stand}/faults/off", pages.fault_off, methods=["POST"]),
            Route("/stands/{stand}/orders/{action}", pages.order, methods=["POST"]),
            Route("/mail/", pages.mails),
            Route("/mail/{number:int}", pages.mail),
            Route("/mail/{number:int}/html", pages.mail_html),
            Route("/mail/{number:int}/attachments/{part:int}", pages.attachment),
            Mount("/sandbox/api", routes=control.routes()),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={404: pages.missing},
    )
    return Guard(application)


class Guard:
    """No orders from other sites' pages, and a strict policy for our own."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_foreign(Request(scope)):
            await Response("Orders come from the sandbox's own pages.", 403)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                if b"content-security-policy" not in names:
                    message["headers"].append((b"content-security-policy", _POLICY.encode()))
                message["headers"].append((b"x-content-type-options", b"nosniff"))
                message["headers"].append((b"referrer-policy", b"same-origin"))
            await send(message)

        await self._app(scope, receive, send_guarded)


def _is_foreign(request: Request) -> bool:
    """Whether a browser says that another site's page wants a change."""
    origin = request.headers.get("origin")
    if origin is None or request.method in {"GET", "HEAD"}:
        return False
    return urlsplit(origin).netloc != request.headers.get("host")


class Pages:
    """The pages and what their forms do."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def first(self, request: Request) -> Response:
        return stand_page(request, self._sandbox, next(iter(self._sandbox.stands.values())))

    async def stand(self, request: Request) -> Response:
        return stand_page(request, self._sandbox, self._stand(request))

    async def reset(self, request: Request) -> Response:
        stand = self._stand(request)
        stand.reset()
        return _back(stand, f"{stand.title} is as new.")

    async def fault_on(self, request: Request) -> Response:
        stand = self._stand(request)
        try:
            fault = faults.wanted(await _form(request))
        except ValueError as error:
            return _back(stand, str(error))
        stand.faults.switch_on(fault)
        return _back(stand)

    async def fault_off(self, request: Request) -> Response:
        stand = self._stand(request)
        number = (await _form(request)).get("number", "")
        if number.isdecimal():
            stand.faults.switch_off(int(number))
        return _back(stand)

    async def order(self, request: Request) -> Response:
        stand, action = self._stand(request), request.path_params["action"]
        try:
            given = orders.arguments(stand, action, await _form(request))
            stand.act(action, given)
        except (BadAction, ValueError, TypeError, ArithmeticError) as error:
            return _back(stand, f"Not done: {error}")
        return _back(stand, f"Done: {action.replace('_', ' ')}.")

    async def mails(self, request: Request) -> Response:
        return mail.list_page(request, self._sandbox)

    async def mail(self, request: Request) -> Response:
        return mail.mail_page(request, self._sandbox, self._mail(request))

    async def mail_html(self, request: Request) -> Response:
        return mail.html_part(self._mail(request), request.query_params.get("theme", ""))

    async def attachment(self, request: Request) -> Response:
        parts = self._mail(request).attachments
        if request.path_params["part"] >= len(parts):
            raise HTTPException(404)
        return mail.attachment(parts[request.path_params["part"]])

    async def missing(self, request: Request, error: Exception) -> Response:
        words = error.detail if isinstance(error, HTTPException) else "Not Found"
        if request.url.path.startswith("/sandbox/api/"):
            return Response(words, 404)
        content = [
            tag("h1", "There is nothing here."),
            tag("p", tag("a", "To the console", href="/")),
        ]
        return page(request, self._sandbox, "Not found", content, status=404)

    def _stand(self, request: Request) -> Stand:
        stand = self._sandbox.stands.get(request.path_params["stand"])
        if stand is None:
            raise HTTPException(404)
        return stand

    def _mail(self, request: Request) -> Mail:
        found = self._sandbox.mailbox.get(request.path_params["number"])
        if found is None:
            raise HTTPException(404)
        return found


def _back(stand: Stand, said: str = "") -> Response:
    return back(f"/stands/{stand.name}", said)


async def _form(request: Request) -> dict[str, str]:
    async with request.form(max_files=0) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}
