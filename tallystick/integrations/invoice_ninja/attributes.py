"""Read-only attributes of users and products that tell how they stand at Invoice Ninja.

The truth is the link; these read it, once per object. A list of many uses `routes.links_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import models

from tallystick.integrations import sync
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.invoice_ninja.states import product_status_of, status_of
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind

Found = Callable[[Any], Link | None]


def of_user(user: Any) -> Link | None:  # noqa: ANN401 - the host's model
    return routes.links_of_users([user.pk]).get(user.pk)


def of_object(obj: models.Model) -> Link | None:
    return routes.links_of([obj]).get(obj.pk)


def attach(user_model: type[models.Model]) -> None:
    """Give the attributes to the user model, and to every model that is told as a product, now or
    when it is registered."""
    _attach(
        user_model,
        invoiceninja_client_id=lambda user: _remote_id(of_user(user)),
        invoiceninja_sync_status=lambda user: status_of(of_user(user)).value,
        invoiceninja_sync_attempts=lambda user: _attempts(of_user(user)),
        invoiceninja_last_sync_attempt=lambda user: _tried(of_user(user)),
    )
    for told in sync.registered():
        _attach_to_product(told.model)
    sync.model_registered.connect(_registered, dispatch_uid="tallystick.invoice_ninja.attributes")


def _registered(sender: type[models.Model], **_: object) -> None:
    _attach_to_product(sender)


def _attach_to_product(model: type[models.Model]) -> None:
    if sync.sync_of(model._meta.label).kind == Kind.PRODUCT:
        _attach(
            model,
            invoiceninja_product_id=lambda obj: _remote_id(of_object(obj)),
            invoiceninja_sync_status=lambda obj: product_status_of(of_object(obj)).value,
            invoiceninja_last_sync_attempt=lambda obj: _tried(of_object(obj)),
        )


def _attach(model: type[models.Model], **readers: Callable[[Any], object]) -> None:
    """A name that the host's model has already stays its own."""
    for name, read in readers.items():
        if not hasattr(model, name):
            setattr(model, name, property(read))


def _remote_id(link: Link | None) -> str | None:
    return (link.remote_id or None) if link else None


def _attempts(link: Link | None) -> int:
    return link.attempts if link else 0


def _tried(link: Link | None) -> datetime | None:
    return link.attempted_at if link else None
