"""What the options of the commands name: connections and models. What is not there is said in
words that tell the way out."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from tallystick.accounts.models import Website
from tallystick.integrations import environment, sync
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.sync import ModelSync
from tallystick.ports.records import Kind


class CannotBe(Exception):
    """What was asked for cannot be; the message says what, and the way out."""


WRONG = 2
"""The exit status of a command that was asked for what cannot be."""
_DIRECT = "INVOICE_NINJA_API_URL and INVOICE_NINJA_API_TOKEN"
_WAYS = {
    (routes.DIRECT,): f"{_DIRECT}",
    routes.ROUTES: f"{_DIRECT}, or INVOICE_NINJA_WEBHOOK_URL and INVOICE_NINJA_WEBHOOK_SECRET",
}


def at_least_one(text: str) -> int:
    """The type of an option."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def connections(
    number: int | None, *, types: Sequence[str] = routes.ROUTES, make: bool = False
) -> list[Connection]:
    """The active connections of `types`, or the one with this number. With `make`, those that the
    environment names and that no worker has made yet."""
    found = routes.connections().filter(type__in=types)
    if make and not found.exists():
        _connect()
    if number is not None:
        found = found.filter(pk=number)
    if not found:
        if Website.objects.default() is None and environment.configured():
            raise CannotBe(
                "The environment names a connection, and no website is the default one, to which it "
                "would belong. Add a website in the admin, and say that it is the default."
            )
        which = f" with the number {number}" if number is not None else ""
        raise CannotBe(
            f"There is no active connection to Invoice Ninja{which}. Set {_WAYS[tuple(types)]} and "
            "start the worker, or add a connection in the admin, under Connections."
        )
    return list(found.select_related("website"))


def products(label: str | None) -> list[ModelSync]:
    """The registered models of products, or the one with this label (`billing.Product`)."""
    told = [known for known in sync.registered() if known.kind == Kind.PRODUCT]
    if label is None:
        return told
    chosen = [known for known in told if known.label.lower() == label.lower()]
    if not chosen:
        raise CannotBe(f"{label} is not told as a product; there are: {_labels(told)}.")
    return chosen


def one_product_model(label: str | None) -> ModelSync:
    """The same where it has to be one."""
    told = products(label)
    if len(told) != 1:
        raise CannotBe(f"Say with --model which products are meant: {_labels(told)}.")
    return told[0]


def key_of(model: type[models.Model], text: str) -> Any:  # noqa: ANN401 - of whatever kind its keys are
    """`text` as a primary key of `model`."""
    field = model._meta.pk
    try:
        key = field.to_python(text)
        field.run_validators(key)
    except ValidationError:
        raise CannotBe(f"{text!r} is no id of a {model._meta.label}.") from None
    return key


def those_of(told: ModelSync, product_id: str, among: Sequence[Connection]) -> list[Connection]:
    """The connections of the website that this product belongs to."""
    key = key_of(told.model, product_id)
    product = told.load([key]).get(str(key))
    if product is None:
        words = f"There is no {told.label} {product_id}; `check_products` lists them."
        raise CannotBe(words)
    found = [one for one in among if one.website_id == told.website_id(product)]
    if not found:
        raise CannotBe(
            f"The website of product {product_id} has no active connection to Invoice Ninja. Add "
            "one in the admin, under Connections."
        )
    return found


def _labels(told: Sequence[ModelSync]) -> str:
    return ", ".join(known.label for known in told) or "none"


def _connect() -> None:
    try:
        environment.connect()
    except BadCredentials as error:
        raise CannotBe(f"The environment's connection: {error}") from None
