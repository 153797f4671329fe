"""The form of a connection: a field for each of its provider's settings; secrets are write-only."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pydantic.fields import FieldInfo

from tallystick.integrations import registry
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.pulls import first_read
from tallystick.ports.fields import MapsFields

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Connection]
else:
    _ModelForm = forms.ModelForm

PREFIX = "setting_"


class ConnectionForm(_ModelForm):
    """Built for one type of provider by `form_for`."""

    class Meta:
        model = Connection
        fields = ["website", "type", "name", "is_active", "conflict_rule"]

    def clean_conflict_rule(self) -> str:
        """Left out, it stays as it is."""
        return self.cleaned_data["conflict_rule"] or self.instance.conflict_rule

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        provider = registry.provider_class(cleaned.get("type") or self.instance.type)
        credentials, custom_data = dict(self.instance.credentials), self._kept(provider)
        for name, field in _settings_of(provider).items():
            value = cleaned.get(PREFIX + name)
            if registry.is_secret(field):
                if value:
                    credentials[name] = value
            elif value not in ("", None):
                custom_data[name] = value
        self.instance.type = provider.type
        try:
            self.instance.configure(credentials, custom_data)
        except BadCredentials as error:
            raise forms.ValidationError(str(error)) from None
        return cleaned

    def _kept(self, provider: registry.ProviderClass) -> dict[str, Any]:
        """What goes into which field has a page of its own."""
        given = self.instance.custom_data if self.instance.type == provider.type else {}
        return {name: given[name] for name in _elsewhere(provider) if name in given}

    def save(self, commit: bool = True) -> Connection:
        connection = super().save(commit=False)
        if commit:
            connection.keep_settings()
        return connection


def form_for(provider_type: str, connection: Connection | None) -> type[ConnectionForm]:
    """A form class with the settings of that provider, filled from `connection`."""
    provider = registry.provider_class(provider_type)
    fields: dict[str, forms.Field] = {
        PREFIX + name: _field(name, info, connection)
        for name, info in _settings_of(provider).items()
    }
    return type("ConnectionForm", (ConnectionForm,), fields | {"conflict_rule": _rule(provider)})


def setting_names(provider_type: str) -> list[str]:
    provider = registry.provider_class(provider_type)
    return [PREFIX + name for name in _settings_of(provider)]


def _settings_of(provider: registry.ProviderClass) -> dict[str, FieldInfo]:
    elsewhere = _elsewhere(provider)
    every = provider.settings_class.model_fields.items()
    return {name: info for name, info in every if name not in elsewhere}


def _elsewhere(provider: registry.ProviderClass) -> frozenset[str]:
    maps: type = provider
    return frozenset(maps.field_settings.values() if issubclass(maps, MapsFields) else ())


def _rule(provider: registry.ProviderClass) -> forms.Field:
    """Says so where it changes nothing."""
    model_field = Connection._meta.get_field("conflict_rule")
    help_text = model_field.help_text
    if not first_read(provider):
        none = _("At %(name)s it changes nothing: what is changed there is not read.")
        help_text = none % {"name": provider.name}
    return forms.ChoiceField(
        label=capfirst(model_field.verbose_name),
        choices=Connection.ConflictRule.choices,
        initial=Connection.ConflictRule.ASK,
        required=False,
        help_text=help_text,
    )


def _field(name: str, info: FieldInfo, connection: Connection | None) -> forms.Field:
    label = name.replace("_", " ").capitalize()
    help_text = info.description or ""
    if registry.is_secret(info):
        kept = bool(connection and connection.credentials.get(name))
        return forms.CharField(
            label=label,
            required=info.is_required() and not kept,
            widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
            help_text="Kept; leave empty to leave it as it is." if kept else help_text,
        )
    common: dict[str, Any] = {
        "label": label,
        "help_text": help_text,
        "initial": _initial(name, info, connection),
    }
    field_class, more = _field_class(_plain(info.annotation), required=info.is_required())
    return field_class(**common, **more)


def _field_class(annotation: Any, *, required: bool) -> tuple[type[forms.Field], dict[str, Any]]:  # noqa: ANN401 - a type as pydantic holds it
    if annotation is bool:
        return forms.BooleanField, {"required": False}
    if get_origin(annotation) is Literal:
        choices = [(word, word) for word in get_args(annotation)]
        return forms.ChoiceField, {"choices": choices, "required": required}
    if issubclass(get_origin(annotation) or annotation, Mapping):
        return forms.JSONField, {"required": False}
    return forms.CharField, {"required": required}


def _initial(name: str, info: FieldInfo, connection: Connection | None) -> Any:  # noqa: ANN401
    if connection and name in connection.custom_data:
        return connection.custom_data[name]
    return None if info.is_required() else info.get_default(call_default_factory=True)


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - a type as pydantic holds it
    if get_origin(annotation) in {Union, UnionType}:
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation
