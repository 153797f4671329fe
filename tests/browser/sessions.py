"""Signing in without the form: where it is not the form that is looked at."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import BrowserContext


def sign_in(context: BrowserContext, origin: str, username: str) -> None:
    """Give `context` the cookie of a session of `username`."""
    client = Client()
    client.force_login(get_user_model().objects.get(username=username))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": origin}])
