"""The settings of a connection to a relay, and what it may say when it refuses."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from tallystick.kit import standard_webhooks
from tallystick.ports.exchange import secure_url
from tallystick.ports.provider import Settings


class RelaySettings(Settings):
    """`webhook_secret` may be several with commas between, the newest first: while a secret is
    replaced each signs. `callback_timeout`, in seconds, is how long an accepted record waits for
    its callback before it is sent again. `allow_http` is for a relay in one's own network."""

    # Before the address, whose check it decides.
    allow_http: bool = False
    webhook_url: str
    webhook_secret: SecretStr = SecretStr("")
    timeout: float = Field(default=30.0, gt=0, le=60)
    max_attempts: int = Field(default=3, ge=1, le=100)
    callback_timeout: float = Field(default=3600.0, ge=1, le=30 * 86_400)
    send_sensitive_fields: bool = False
    debug: bool = False

    @field_validator("webhook_url")
    @classmethod
    def _is_secure(cls, url: str, info: ValidationInfo) -> str:
        return secure_url(url, allow_http=info.data.get("allow_http", False))

    @field_validator("webhook_secret")
    @classmethod
    def _is_usable(cls, secret: SecretStr) -> SecretStr:
        standard_webhooks.secrets_of(secret.get_secret_value())
        return secret

    def secrets(self) -> list[str]:
        return standard_webhooks.secrets_of(self.webhook_secret.get_secret_value())


class Problem(BaseModel):
    """n8n gives its reason as `message`, the bridge as `detail`."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)

    message: str = ""
    detail: str = ""
