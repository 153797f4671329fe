"""Callbacks: how Tallystick hears what became of a delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tallystick.bridge.orders import Change
from tallystick.kit import clock, json, standard_webhooks
from tallystick.ports.exchange import Answer, Failure, Line, Question
from tallystick.ports.wire import Wire

if TYPE_CHECKING:
    import httpx2

SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - the name of a header
CONCURRENCY = 2

_API = "/api/invoice-ninja"
_FINAL = {
    HTTPStatus.BAD_REQUEST,  # the same body stays as bad as it is
    HTTPStatus.NOT_FOUND,  # it knows no such user or product (any more)
    HTTPStatus.CONFLICT,  # it keeps another client id; a person decides
    HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Answers after which a repeat is of no use. 401 and 403 are not among them: a secret is being
replaced, or a firewall is in the way, and either passes."""


class Heard(StrEnum):
    """What became of a callback."""

    YES = "told"
    REFUSED = "refused"
    NO = "not heard"


class Callback(BaseModel):
    """`path` is below the API's; `body` is what is sent."""

    path: str
    body: Mapping[str, Any]

    @classmethod
    def success(cls, order: Change, remote_id: str) -> Callback:
        words = "Updated in Invoice Ninja." if order.remote() else "In step with Invoice Ninja."
        return cls._of(order, remote_id, success=True, message=words, retry=False)

    @classmethod
    def failure(cls, order: Change, words: str, *, retry: bool) -> Callback:
        remote = order.remote()
        remote_id = remote.id if remote else None
        return cls._of(order, remote_id, success=False, message=words, retry=retry)

    @classmethod
    def _of(cls, order: Change, remote_id: str | None, **said: object) -> Callback:
        body = {
            **order.names(remote_id),
            **said,
            "timestamp": clock.now().isoformat(timespec="milliseconds"),
            "delivery_id": order.delivery_id,
            "key": order.key,
        }
        return cls(path=f"{_API}/{order.callback}/", body=body)


class Callbacks:
    """The way back to one Tallystick site. Safe to share by threads."""

    def __init__(
        self, url: str, secrets: Sequence[str], *, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._url = url
        self._secrets = secrets
        self._wire = Wire(
            Line(transport=transport, concurrency=CONCURRENCY, timeout=30.0),
            leaving=lambda: None,
            arriving=lambda headers: None,
        )

    def send(self, callback: Callback, *, identity: str) -> tuple[Heard, str]:
        """Whether it was heard, and how the log says that. `identity` is the same for every try."""
        body = json.canonical(callback.body)
        signed = standard_webhooks.headers(self._secrets, identity, at=clock.now(), body=body)
        headers = {"Content-Type": "application/json", SECRET_HEADER: self._secrets[0], **signed}
        try:
            answer = self._wire.carry(
                Question("POST", self._url + callback.path, {}, headers, body)
            )
        except Failure as failure:
            return Heard.NO, type(failure).__name__
        return _heard(answer), f"HTTP {answer.status}"

    def close(self) -> None:
        self._wire.close()


def _heard(answer: Answer) -> Heard:
    if HTTPStatus(200) <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Heard.YES
    # A page is not the API's word: the address is wrong, or something stands in between.
    return Heard.REFUSED if answer.status in _FINAL and not answer.is_page else Heard.NO
