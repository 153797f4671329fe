"""The picture of a product: outside systems and shops show it, so everybody may see it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tallystick.billing.products import Product

KINDS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}


@require_safe
@cache_control(public=True, max_age=3600)
def image(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """Of what is on sale. Where the file lies says the product alone, never the request."""
    product = Product.objects.everywhere().filter(uid=uid, is_active=True).first()
    if product is None or not product.image.name:
        raise Http404
    kind = KINDS.get(PurePosixPath(product.image.name).suffix[1:].lower())
    if kind is None:
        raise Http404
    etag = _etag(product)
    known = get_conditional_response(request, etag=etag)
    if known is not None:
        known["ETag"] = etag
        return known
    try:
        file = product.image.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, content_type=kind)
    response["Content-Disposition"] = f'inline; filename="{product.uid}.{_ending(kind)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = etag
    return response


def _etag(product: Product) -> str:
    """Another with each new file, and no way back to where it lies."""
    state = f"{product.image.name} {product.updated_at.isoformat()}"
    return quote_etag(sha256(state.encode()).hexdigest()[:32])


def _ending(kind: str) -> str:
    return kind.partition("/")[2]
