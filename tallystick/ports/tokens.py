"""Bearer tokens by the client credentials grant of OAuth 2.0."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from tallystick.kit import clock
from tallystick.ports.errors import ProviderError, Unauthorized, Unavailable
from tallystick.ports.exchange import Answer, Basic, Line
from tallystick.ports.http import Api
from tallystick.ports.traffic import Traffic, said

if TYPE_CHECKING:
    import httpx2

_LONGEST_LIFE = 86_400.0
_EARLY = 60.0


class TokenReply(BaseModel):
    """`access_token` goes into a header: visible ASCII only."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)

    access_token: Annotated[
        str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=16_384), Field(repr=False)
    ]
    expires_in: float = Field(default=300.0, ge=0, allow_inf_nan=False)


class TokenError(BaseModel):
    """RFC 6749, 5.2."""

    model_config = ConfigDict(frozen=True, defer_build=True, hide_input_in_errors=True)

    error: str
    error_description: str = ""


class ClientCredentials:
    """Tokens for an id and a secret, kept in memory. Threads that want one at the same time share
    one request for it, and its failure."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        client_id: str,
        client_secret: SecretStr,
        scopes: str = "",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        basic = Basic(client_id, client_secret.get_secret_value())
        self._endpoint = _Endpoint(name, url, line=Line(basic, transport, concurrency=1))
        self._form = {"grant_type": "client_credentials", **({"scope": scopes} if scopes else {})}
        self._lock = threading.Lock()
        self._round = 0  # how many times it was asked for, the answer being in
        self._token = ""
        self._renew_at = 0.0
        self._failure: ProviderError | None = None

    def token(self, *, instead_of: str = "") -> str:
        asked_in = self._round
        with self._lock:
            if self._token and self._token != instead_of and clock.ticking() < self._renew_at:
                return self._token
            if self._failure and self._round != asked_in:
                raise self._failure
            return self._renewed()

    def in_use(self) -> tuple[str, ...]:
        """What must not be logged."""
        return (self._token,)

    def close(self) -> None:
        self._endpoint.close()

    def _renewed(self) -> str:
        # The life of a token is counted from before it was asked for, on a clock that cannot be
        # set: neither a slow answer nor a wrong clock makes us use it too long.
        asked_at = clock.ticking()
        try:
            reply = self._endpoint.post_form("", TokenReply, self._form)
        except ProviderError as error:
            self._failure = error
            raise
        finally:
            self._round += 1
        life = min(reply.expires_in, _LONGEST_LIFE)
        self._token, self._failure = reply.access_token, None
        self._renew_at = asked_at + life - min(_EARLY, life / 10)
        return self._token


class _Endpoint(Api):
    def refusal(self, answer: Answer) -> ProviderError:
        try:
            reply = TokenError.model_validate_json(answer.content)
        except ValidationError:
            return Unavailable(
                f"{self.name} gave no token, and no reason either (HTTP {answer.status})."
            )
        reason = said(reply.error_description or reply.error)
        if reply.error == "invalid_scope":
            return Unauthorized(
                f"{self.name} does not allow the scopes asked for ({reason}); "
                "correct the scopes and reconnect."
            )
        return Unauthorized(f"{self.name} does not accept the credentials ({reason}); reconnect.")


def traffic(name: str, tokens: ClientCredentials, *secrets: SecretStr, is_on: bool) -> Traffic:
    """A traffic log that knows the secrets of a connection and the token in use."""

    def known() -> tuple[str, ...]:
        return (*(secret.get_secret_value() for secret in secrets), *tokens.in_use())

    return Traffic(name, is_on=is_on, secrets=known)
