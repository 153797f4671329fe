"""The control API: what tests order over HTTP, below `/sandbox/api/`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.kit import json as kit_json
from tallystick.ports.sandboxing import BadAction, Fault, Stand
from tallystick.sandbox.sandbox import Sandbox

_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])
_LONGEST_REST = 60
_LONGEST_SHIFT = 366 * 86_400


class Seconds(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seconds: float = Field(ge=0, le=_LONGEST_REST)


class Advance(BaseModel):
    """Seconds; negative for a clock that is behind."""

    model_config = ConfigDict(extra="forbid")
    advance: float = Field(ge=-_LONGEST_SHIFT, le=_LONGEST_SHIFT)


class Seed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seed: int


class Control:
    """The endpoints. `rest` makes the server refuse connections for so many seconds."""

    def __init__(self, sandbox: Sandbox, rest: Callable[[float], None]) -> None:
        self._sandbox = sandbox
        self._rest = rest

    def routes(self) -> list[Route]:
        return [
            Route("/", self.index),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/clock", self.clock, methods=["GET", "POST"]),
            Route("/down", self.down, methods=["POST"]),
            Route("/mail", self.mails, methods=["GET", "DELETE"]),
            Route("/mail/{number:int}", self.mail),
            Route("/{stand}/reset", self.reset_stand, methods=["POST"]),
            Route("/{stand}/faults", self.faults, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/{stand}/faults/{number:int}", self.fault, methods=["DELETE"]),
            Route("/{stand}/ledger", self.ledger),
            Route("/{stand}/calls", self.calls),
            Route("/{stand}/state", self.state),
            Route("/{stand}/deliveries", self.deliveries),
            Route("/{stand}/actions/{action}", self.act, methods=["POST"]),
        ]

    async def index(self, _request: Request) -> Response:
        stands = {
            stand.name: {"url": stand.public_url, "actions": stand.actions()}
            for stand in self._sandbox.stands.values()
        }
        return _json({"stands": stands, "mails": len(self._sandbox.mailbox)})

    async def reset(self, _request: Request) -> Response:
        self._sandbox.reset()
        return _json({})

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            self._sandbox.clock.advance((await _read(request, Advance)).advance)
        return _json({"now": self._sandbox.clock.now()})

    async def down(self, request: Request) -> Response:
        self._rest((await _read(request, Seconds)).seconds)
        return _json({})

    async def mails(self, request: Request) -> Response:
        mailbox = self._sandbox.mailbox
        if request.method == "DELETE":
            mailbox.clear()
            return _json({})
        query = request.query_params
        found = mailbox.newest(to=query.get("to", ""), subject=query.get("subject", ""))
        limit = _whole(query.get("limit", "50"))
        mails = [mail.as_json(whole=False) for mail in found[:limit]]
        return _json({"total": len(found), "mails": mails})

    async def mail(self, request: Request) -> Response:
        mail = self._sandbox.mailbox.get(request.path_params["number"])
        if mail is None:
            raise HTTPException(404, "There is no such mail.")
        return _json(mail.as_json())

    async def reset_stand(self, request: Request) -> Response:
        self._stand(request).reset()
        return _json({})

    async def faults(self, request: Request) -> Response:
        faults = self._stand(request).faults
        if request.method == "POST":
            wanted = await _wanted_faults(request)
            return _json({"numbers": [faults.switch_on(fault) for fault in wanted]})
        if request.method == "PUT":
            faults.reseed((await _read(request, Seed)).seed)
        if request.method == "DELETE":
            faults.clear()
        on = [
            {"number": armed.number, "struck": armed.struck, **armed.fault.model_dump(mode="json")}
            for armed in faults.armed()
        ]
        return _json({"faults": on})

    async def fault(self, request: Request) -> Response:
        if not self._stand(request).faults.switch_off(request.path_params["number"]):
            raise HTTPException(404, "There is no such fault.")
        return _json({})

    async def ledger(self, request: Request) -> Response:
        stand, query = self._stand(request), request.query_params
        with stand.lock:
            if kind := query.get("kind"):
                return _json(stand.ledger.counts(kind, account=query.get("account") or None))
            return _json({"made": stand.ledger.dump(), "doubled": stand.ledger.doubled()})

    async def calls(self, request: Request) -> Response:
        stand, after = self._stand(request), _whole(request.query_params.get("after", "0"))
        calls = [asdict(call) for call in list(stand.calls) if call.number > after]
        return _json({"counts": dict(stand.counts), "calls": calls})

    async def state(self, request: Request) -> Response:
        return _json([asdict(table) for table in self._stand(request).state()])

    async def deliveries(self, request: Request) -> Response:
        return _json(
            [
                {
                    "id": receipt.sent.id,
                    "at": receipt.at,
                    "url": receipt.sent.url,
                    "account": receipt.sent.account,
                    "attempt": receipt.sent.attempt,
                    "label": receipt.sent.label,
                    "status": receipt.status,
                    "accepted": receipt.accepted,
                    "complaint": receipt.complaint,
                    "body": receipt.sent.body.decode("utf-8", "replace"),
                }
                for receipt in list(self._stand(request).receipts)
            ]
        )

    async def act(self, request: Request) -> Response:
        arguments = await _document(request)
        if not isinstance(arguments, dict):
            raise HTTPException(400, "The arguments are an object.")
        try:
            return _json(self._stand(request).act(request.path_params["action"], arguments))
        except (BadAction, ValueError, ArithmeticError) as error:
            raise HTTPException(400, str(error)) from None

    def _stand(self, request: Request) -> Stand:
        stand = self._sandbox.stands.get(request.path_params["stand"])
        if stand is None:
            raise HTTPException(404, "There is no such stand.")
        return stand


async def _wanted_faults(request: Request) -> list[Fault]:
    given = await _document(request)
    try:
        return _FAULTS.validate_python(given if isinstance(given, list) else [given])
    except ValidationError as error:
        raise HTTPException(400, _words(error)) from None


async def _read(request: Request, model: type[Any]) -> Any:  # noqa: ANN401 - an instance of it
    try:
        return model.model_validate(await _document(request))
    except ValidationError as error:
        raise HTTPException(400, _words(error)) from None


async def _document(request: Request) -> object:
    body = await request.body()
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None


def _words(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}."


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise HTTPException(400, "A whole number is expected.")
    return int(text)


def _json(document: object) -> Response:
    body = json.dumps(document, default=kit_json.plain).encode()
    return Response(body, media_type="application/json")
