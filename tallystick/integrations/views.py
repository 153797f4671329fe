"""Where providers' webhooks arrive."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tallystick.integrations import inbox, registry
from tallystick.ports.errors import Forged, Garbled
from tallystick.ports.roles import Delivery

LARGEST_BODY = 1_000_000
"""Bytes. The largest documented delivery is far smaller."""


class TooLarge(Exception):
    """More than any provider sends."""


STATUSES: dict[type[Exception], int] = {
    registry.UnknownProvider: 404,
    TooLarge: 413,
    Forged: 401,
    Garbled: 400,
}


@csrf_exempt
@require_POST
def webhook(
    request: HttpRequest, provider_type: str, connection_id: int | None = None
) -> HttpResponse:
    """200 once stored, 401 when the signature does not fit, 400 when it fits nonsense. The answer
    is empty and sets no cookie: Xero takes any other for a failure."""
    try:
        provider = registry.provider_class(provider_type)
        inbox.receive(provider.type, _delivery(request), connection_id=connection_id)
    except tuple(STATUSES) as error:
        status = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
        return HttpResponse(status=status)
    return HttpResponse()


def _delivery(request: HttpRequest) -> Delivery:
    """The bytes as they came; an honest length is looked at before they are read."""
    length = str(request.META.get("CONTENT_LENGTH", ""))
    if length.isdecimal() and int(length[:12]) > LARGEST_BODY:
        raise TooLarge
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Delivery(headers, request.body)
