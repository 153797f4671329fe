"""PDFs, shown in the browser under a name of their own."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.text import get_valid_filename


def pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{get_valid_filename(name)}.pdf"'
    return response
