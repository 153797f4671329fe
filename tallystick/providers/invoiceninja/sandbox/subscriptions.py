"""Webhook subscriptions: one address for one event, and nothing that proves who sends."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.company import shown as whole
from tallystick.providers.invoiceninja.sandbox.reading import Form

_METHODS = ("post", "put")
_HIGHEST_EVENT = 99


def create(company: Company, given: Row, query: Mapping[str, str]) -> Row:
    del query
    form = _read(given)
    form.required("target_url", "event_id")
    fields = {"rest_method": "post", "headers": {}, **form.done()}
    return company.add("webhooks", fields)


def change(company: Company, webhook: Row, given: Row, query: Mapping[str, str]) -> Row:
    del query
    return company.keep("webhooks", {**webhook, **_read(given).done()})


def shown(company: Company, webhook: Row, public_url: str) -> Row:
    del company, public_url
    return whole(webhook, {"format": "JSON"})


def _read(given: Row) -> Form:
    form = Form(given)
    form.texts({"target_url": 191, "event_id": None})
    form.choice("rest_method", _METHODS)
    url, event = form.fields.get("target_url"), form.fields.get("event_id")
    if url and not (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname):
        form.refuse("target_url", "The target url format is invalid.")
    if event and not (event.isdecimal() and int(event) <= _HIGHEST_EVENT):
        form.refuse("event_id", "The selected event id is invalid.")
    headers = given.get("headers")
    if isinstance(headers, dict):
        form.fields["headers"] = {str(name): str(value) for name, value in headers.items()}
    return form
