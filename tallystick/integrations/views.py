"""Where providers' webhooks arrive."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from tallystick.integrations import inbox, registry
from tallystick.ports.errors import Forged, Garbled
from tallystick.ports.roles import Delivery

LARGEST_BODY = 1_000_000
"""Bytes. The largest documented delivery is far smaller."""
_ADDRESS = re.compile(r"(?:/(?P<number>[0-9]{1,18})(?:/(?P<tail>[A-Za-z0-9._~/-]{1,200}?))?)?/?")


class TooLarge(Exception):
    """More than any provider sends."""


class NoSuchAddress(Exception):
    """Nobody was ever told to send anything there."""


STATUSES: dict[type[Exception], int] = {
    registry.UnknownProvider: 404,
    NoSuchAddress: 404,
    TooLarge: 413,
    Forged: 401,
    Garbled: 400,
}


@dataclass(frozen=True, slots=True)
class Address:
    """What of an address stands behind `webhook`."""

    connection_id: int | None = None
    tail: str = ""

    @classmethod
    def read(cls, rest: str) -> Address | None:
        """None when it is no address of ours."""
        parts = _ADDRESS.fullmatch(rest)
        if parts is None:
            return None
        number, tail = parts["number"], parts["tail"]
        return cls(int(number) if number else None, (tail or "").strip("/"))


@csrf_exempt
def webhook(request: HttpRequest, provider_type: str, rest: str | None = None) -> HttpResponse:
    """200 once stored, 401 when the signature does not fit, 400 when it fits nonsense. The answer
    is empty and sets no cookie: Xero takes any other for a failure.

    A provider that cancels what is answered 404, 405 or 410 never hears one of them: what is no
    delivery is answered 200, and one that leads nowhere 401."""
    try:
        provider = registry.provider_class(provider_type)
        if request.method not in _methods(provider):
            return HttpResponse() if provider.always_welcomes else HttpResponseNotAllowed(["POST"])
        _receive(request, provider, rest or "")
    except tuple(STATUSES) as error:
        status = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
        return HttpResponse(status=status)
    return HttpResponse()


def _methods(provider: registry.ProviderClass) -> tuple[str, ...]:
    return ("POST", "PUT") if provider.always_welcomes else ("POST",)


def _receive(request: HttpRequest, provider: registry.ProviderClass, rest: str) -> None:
    address = Address.read(rest)
    if address is None or (address.tail and not provider.always_welcomes):
        raise Forged if provider.always_welcomes else NoSuchAddress
    delivery = _delivery(request, address.tail)
    inbox.receive(provider.type, delivery, connection_id=address.connection_id)


def _delivery(request: HttpRequest, tail: str) -> Delivery:
    """The bytes as they came; an honest length is looked at before they are read."""
    length = str(request.META.get("CONTENT_LENGTH", ""))
    if length.isdecimal() and int(length[:12]) > LARGEST_BODY:
        raise TooLarge
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(headers, request.body, tail)
