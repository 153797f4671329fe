"""The bridge's settings: read from the environment, once. `.env.example` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from tallystick.kit import standard_webhooks
from tallystick.kit.env import BadSetting, Env
from tallystick.ports.exchange import secure_url
from tallystick.providers.invoiceninja import InvoiceNinjaSettings


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """`secrets` and `callback_secrets`: newest first; the newest signs, all of them are accepted."""

    host: str
    port: int
    database: Path
    secrets: Sequence[str] = field(repr=False)
    callback_url: str
    callback_secrets: Sequence[str] = field(repr=False)
    invoice_ninja: InvoiceNinjaSettings


def read(variables: Mapping[str, str]) -> BridgeSettings:
    """Raises `BadSetting`, which never repeats a secret."""
    env = Env(variables)
    secret = env.secret("BRIDGE_SECRET")
    return BridgeSettings(
        host=env.text("BRIDGE_HOST", "127.0.0.1"),
        port=env.port("BRIDGE_PORT", 8200),
        database=Path(env.text("BRIDGE_DATABASE", "bridge.sqlite3")),
        secrets=_secrets("BRIDGE_SECRET", secret),
        callback_url=_secure("BRIDGE_CALLBACK_URL", env.url("BRIDGE_CALLBACK_URL")),
        callback_secrets=_secrets(
            "BRIDGE_CALLBACK_SECRET", env.secret("BRIDGE_CALLBACK_SECRET", secret)
        ),
        invoice_ninja=_invoice_ninja(
            api_url=env.url("INVOICE_NINJA_API_URL"),
            api_token=env.secret("INVOICE_NINJA_API_TOKEN"),
            request_delay=env.seconds("INVOICE_NINJA_REQUEST_DELAY", 0.5),
            set_cost=env.flag("INVOICE_NINJA_SET_COST", default=True),
        ),
    )


def _secrets(name: str, text: str) -> Sequence[str]:
    try:
        found = tuple(standard_webhooks.secrets_of(text))
    except ValueError as error:
        raise BadSetting(name, f"{error}.") from None
    if not found:
        raise BadSetting(name, "names no secret.")
    return found


def _secure(name: str, url: str) -> str:
    try:
        return secure_url(url)
    except ValueError as error:
        raise BadSetting(name, f"{error}.") from None


def _invoice_ninja(**values: object) -> InvoiceNinjaSettings:
    try:
        return InvoiceNinjaSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = f"INVOICE_NINJA_{'_'.join(map(str, first['loc'])).upper()}"
    # Outside of the handler: the error holds what was given, and that is a secret.
    raise BadSetting(name, f"{first['msg']}.")
