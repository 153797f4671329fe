from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tallystick.providers.relay.tests.answers import relay, settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_url": ""},
        {"webhook_url": "http://n8n.example.org/webhook/sync"},
        {"webhook_url": "ftp://n8n.example.org"},
        {"webhook_url": "ftp://n8n.example.org", "allow_http": True},
        {"webhook_url": "https://user:word@n8n.example.org"},
        {"webhook_url": "https://n8n.example.org/?token=x"},
        {"webhook_secret": "a secret\nof two lines"},
        {"webhook_secret": "a secret, whsec_?!"},
        {"timeout": 0},
        {"timeout": 61},
        {"max_attempts": 0},
        {"callback_timeout": 0},
        {"webhook_uri": "https://n8n.example.org"},
    ],
    ids=str,
)
def test_wrong_settings_are_refused_by_their_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert next(iter(wrong)) in str(caught.value)
    assert "a secret" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"webhook_url": "http://127.0.0.1:9000/relay/webhook/invoice-ninja-sync"},
        {"webhook_url": "http://bridge:8000/webhook/invoice-ninja-sync", "allow_http": True},
    ],
    ids=["this machine", "one's own network"],
)
def test_http_where_it_is_allowed(fields: dict[str, Any]) -> None:
    client, network = relay(**fields)
    client.ping()
    assert str(network.requests()[0].url) == fields["webhook_url"]


def test_values_may_come_from_the_environment() -> None:
    read = settings(callback_timeout="90", send_sensitive_fields="True", max_attempts="5")
    assert (read.callback_timeout, read.send_sensitive_fields, read.max_attempts) == (90, True, 5)


def test_the_defaults() -> None:
    read = settings()
    assert (read.timeout, read.max_attempts, read.callback_timeout) == (30, 3, 3600)
    assert not read.send_sensitive_fields
    assert settings(webhook_secret=" new , old ").secrets() == ["new", "old"]
