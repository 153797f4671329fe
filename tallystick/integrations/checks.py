"""What `manage.py check` says about connections, and about what is told by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection
from django.db.models import CharField, Model, TextField
from pydantic import ValidationError

from tallystick.integrations import environment, registry, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.links import LONGEST_ID, LONGEST_LABEL
from tallystick.integrations.pulls import first_read


@register()
def connections_are_whole(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    del app_configs
    return [
        message
        for kind, values in environment.configured().items()
        for message in _of(kind, values)
    ]


@register()
def one_route_to_invoice_ninja(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    del app_configs
    if not set(routes.ROUTES) <= set(environment.configured()):
        return []
    return [
        Error(
            "INVOICE_NINJA_API_URL and INVOICE_NINJA_WEBHOOK_URL are both set: a user would be sent "
            "twice.",
            hint="Choose one route, and remove the other's address.",
            id="tallystick.E102",
        )
    ]


@register(Tags.database)
def one_active_route_a_website(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    del app_configs
    if not databases or Connection._meta.db_table not in connection.introspection.table_names():
        return []
    active = routes.connections().order_by().values_list("website__name").distinct()
    both = active.filter(type=routes.DIRECT).intersection(active.filter(type=routes.RELAY))
    return [
        Error(
            f"Both routes to Invoice Ninja are active at {name}: a user would be sent twice.",
            hint="Switch one of the two connections off.",
            id="tallystick.E103",
        )
        for (name,) in both
    ]


@register(Tags.database)
def rules_that_change_nothing(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """A rule for conflicts, where what is changed there is not read."""
    del app_configs
    if not databases or Connection._meta.db_table not in connection.introspection.table_names():
        return []
    ruled = Connection.objects.everywhere().filter(is_active=True)
    return [
        checks.Warning(
            f"Connection “{one.name}” has a rule for what is changed there ({one.conflict_rule}); "
            f"{one.provider.name} is not asked what that is, so it changes nothing.",
            hint="Leave it at “ask”, or connect directly.",
            id="tallystick.W104",
        )
        for one in ruled.exclude(conflict_rule=Connection.ConflictRule.ASK).order_by("pk")
        if not first_read(one.provider)
    ]


@register()
def what_is_told_can_be_named(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """A link names its object by the label of its model and by one primary key."""
    del app_configs
    return [
        Error(
            f"{told.label} cannot be told to the outside: {why}.",
            hint="Tell it by a model of its own that follows it.",
            id="tallystick.E105",
        )
        for told in sync.registered()
        if (why := _unfit(told.model))
    ]


def _unfit(model: type[Model]) -> str:
    """Why a link cannot name its objects; empty when it can."""
    key = model._meta.pk
    if len(model._meta.label) > LONGEST_LABEL:
        return f"its label is longer than {LONGEST_LABEL} characters"
    if len(model._meta.pk_fields) > 1:
        return "its primary key is made of several columns"
    is_text = isinstance(key, CharField | TextField)
    if is_text and (key.max_length or LONGEST_ID + 1) > LONGEST_ID:
        return f"its primary key may be longer than {LONGEST_ID} characters"
    return ""


def _of(provider_type: str, values: dict[str, Any]) -> Iterator[Error]:
    provider = registry.provider_class(provider_type)
    prefix = provider.environment[0] or provider.type
    try:
        provider.settings_class(**values)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False, include_context=False):
            name = f"{prefix}_{'_'.join(map(str, item['loc'])).upper()}"
            yield Error(f"{name}: {item['msg']}", id="tallystick.E101")
