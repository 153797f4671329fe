"""What `manage.py check` says about the connections that the environment configures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from pydantic import ValidationError

from tallystick.integrations import environment, registry


@register()
def connections_are_whole(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    del app_configs
    return [
        message
        for kind, values in environment.configured().items()
        for message in _of(kind, values)
    ]


def _of(provider_type: str, values: dict[str, Any]) -> Iterator[Error]:
    try:
        registry.provider_class(provider_type).settings_class(**values)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False, include_context=False):
            name = f"{provider_type}_{'_'.join(map(str, item['loc'])).upper()}"
            yield Error(f"{name}: {item['msg']}", id="tallystick.E101")
