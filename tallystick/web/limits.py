"""The page of whoever is over a limit; the limits themselves are in `accounts.limits`."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tallystick.accounts.limits import Limit

__all__ = ["Limit", "too_many"]


def too_many(request: HttpRequest, seconds: int = 60) -> HttpResponse:
    """The page of whoever is over a limit."""
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(seconds)
    return response
