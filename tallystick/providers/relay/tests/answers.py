"""A go-between that answers what a test says, and what it was sent."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from tallystick.ports.records import Customer, Details, Product, Tax
from tallystick.ports.samples import customer, product
from tallystick.ports.testing import Recorder
from tallystick.providers.relay import Relay, RelaySettings
from tallystick.providers.relay.tests.case import SENSITIVE, details

FIXTURES = Path(__file__).parents[1] / "fixtures"
URL = "https://n8n.example.org/webhook/invoice-ninja-sync"


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def settings(**changes: Any) -> RelaySettings:
    fields = {"webhook_url": URL, "webhook_secret": "a secret"}
    return RelaySettings.model_validate({**fields, **changes})


def relay(
    answer: httpx2.Response | Exception | None = None, **changes: Any
) -> tuple[Relay, Recorder]:
    """A client of a go-between that gives one answer to all; n8n's acceptance unless it is said."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        given = answer or httpx2.Response(200, content=fixture("n8n_started"))
        return httpx2.Response(given.status_code, headers=given.headers, content=given.content)

    network = Recorder(httpx2.MockTransport(respond))
    return Relay(settings(**changes), transport=network), network


def sent(network: Recorder) -> dict[str, Any]:
    """The document of the last delivery."""
    document: dict[str, Any] = json.loads(network.requests()[-1].content)
    return document


def ada(*more: tuple[str, str]) -> Customer:
    """A person of whom everything is known."""
    told: Details = (*details(7), *SENSITIVE, *more)
    return replace(customer(7), details=told)


def lesson() -> Product:
    """A product of which everything is known."""
    told: Details = (
        ("category", "Lessons"),
        ("country_of_origin", "DE"),
        ("django_product_id", 12),
        ("image_url", "https://example.org/lesson.jpg"),
        ("max_discount_percentage", "15.00"),
        ("slug", "one-lesson"),
    )
    return replace(product(7, "EUR", Tax("standard", Decimal("19.00"))), details=told)
