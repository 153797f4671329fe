from __future__ import annotations

import pytest
from pydantic import ValidationError

from tallystick.providers.xero.tests.answers import (
    settings,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"tenant_id": "a\nb"},
        {"amount_type": "inclusive"},
        {"currency_code": "Euro"},
        {"account_code": ""},
        {"base_url": "http://api.xero.com"},
        {"token_url": "ftp://identity.xero.com"},
        {"base_url": "https://user:word@api.xero.com"},
        {"acount_code": "200"},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert "a secret" not in str(caught.value)


def test_a_sandbox_on_this_machine_needs_no_tls() -> None:
    assert settings(base_url="http://127.0.0.1:9000/xero/").base_url == "http://127.0.0.1:9000/xero"
