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


@csrf_exempt
@require_POST
def webhook(
    request: HttpRequest, provider_type: str, connection_id: int | None = None
) -> HttpResponse:
    """200 once stored, 401 when the signature does not fit, 400 when it fits nonsense. The answer
    is empty and sets no cookie: Xero takes any other for a failure."""
    try:
        provider = registry.provider_class(provider_type)
    except registry.UnknownProvider:
        return HttpResponse(status=404)
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return HttpResponse(status=400)
    if length > LARGEST_BODY:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        inbox.receive(provider.type, Delivery(headers, request.body), connection_id=connection_id)
    except Forged:
        return HttpResponse(status=401)
    except Garbled:
        return HttpResponse(status=400)
    return HttpResponse()
