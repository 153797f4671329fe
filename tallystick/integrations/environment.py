"""Connections that the environment configures: the same thing as one made in the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from tallystick.accounts.websites import Website
from tallystick.events import record
from tallystick.integrations import fields, registry
from tallystick.integrations.connections import Connection


def configured() -> dict[str, dict[str, Any]]:
    """Provider type -> its settings, for each provider that the environment names."""
    found = {}
    for provider in registry.PROVIDERS:
        values: Mapping[str, Any] = getattr(settings, provider.type, {})
        given = {name: value for name, value in values.items() if value not in ("", None)}
        if given.get(provider.environment[1]):
            found[provider.type] = given
    return found


def sets(connection: Connection) -> frozenset[str]:
    """The names of the settings of `connection` that the environment gives, and has the say of."""
    if not connection.from_environment:
        return frozenset()
    return frozenset(configured().get(connection.type, {}))


def connect() -> list[Connection]:
    """Make or bring up to date the default website's connections from the environment."""
    website = Website.objects.default()
    if website is None:
        return []
    return [_connected(website, kind, values) for kind, values in configured().items()]


def _connected(website: Website, provider_type: str, values: Mapping[str, Any]) -> Connection:
    provider = registry.provider_class(provider_type)
    secret = {
        name
        for name, field in provider.settings_class.model_fields.items()
        if registry.is_secret(field)
    }
    credentials = {name: value for name, value in values.items() if name in secret}
    custom_data = {name: value for name, value in values.items() if name not in secret}
    with transaction.atomic():
        connection = (
            Connection.objects.of(website)
            .select_for_update()
            .filter(type=provider_type, from_environment=True)
            .first()
        ) or Connection(
            website=website, type=provider_type, name=provider.name, from_environment=True
        )
        custom_data = {**_chosen_here(connection), **custom_data}
        before = connection.custom_data
        if (connection.credentials, connection.custom_data) != (credentials, custom_data):
            connection.configure(credentials, custom_data)
            connection.keep_settings()
            fields.mark_due(connection, before)
            record("connection.changed", connection, change={"by": "environment"})
    return connection


def _chosen_here(connection: Connection) -> dict[str, Any]:
    """What staff have chosen for its fields: it holds where the environment says nothing of them."""
    provider = fields.maps_fields(connection)
    names = provider.field_settings.values() if provider else ()
    return {name: connection.custom_data[name] for name in names if name in connection.custom_data}
