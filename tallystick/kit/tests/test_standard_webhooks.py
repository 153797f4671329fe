from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit import standard_webhooks

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BODY = b'{"event": "ping"}'
BASE64 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def sent(*secrets: str, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return standard_webhooks.headers(secrets, "delivery-1", at=at, body=body)


def is_genuine(headers: dict[str, str], *secrets: str, body: bytes = BODY) -> bool:
    return standard_webhooks.is_genuine(secrets, headers, body, now=NOW)


def test_the_example_of_the_published_libraries() -> None:
    headers = standard_webhooks.headers(
        [BASE64],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", ["plain text", "a,b", BASE64])
def test_what_was_signed_is_genuine(secret: str) -> None:
    assert is_genuine(sent(secret), secret)
    assert not is_genuine(sent(secret), "another")
    assert not is_genuine(sent(secret), secret, body=BODY + b" ")
    assert not is_genuine({**sent(secret), "webhook-id": "delivery-2"}, secret)


def test_either_secret_counts_while_one_is_replaced() -> None:
    both = sent("new", "old")
    assert both["webhook-signature"].count("v1,") == 2
    assert is_genuine(both, "old")
    assert is_genuine(both, "new")
    assert is_genuine(sent("old"), "new", "old")


@pytest.mark.parametrize(("seconds", "is_taken"), [(300, True), (301, False)])
def test_an_old_delivery_and_one_of_the_future_do_not_count(seconds: int, is_taken: bool) -> None:
    for sign in (1, -1):
        at = NOW + timedelta(seconds=sign * seconds)
        assert is_genuine(sent("secret", at=at), "secret") is is_taken


def test_without_a_secret_nothing_is_signed_and_nothing_is_genuine() -> None:
    assert set(sent()) == {"webhook-id", "webhook-timestamp"}
    assert not is_genuine(sent())
    assert not is_genuine(sent("secret"))
    assert not is_genuine(sent(), "secret")


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "9" * 400, "١٢٣", "1767268800.5"])
def test_a_time_that_is_none_does_not_count(stamp: str) -> None:
    assert not is_genuine({**sent("secret"), "webhook-timestamp": stamp}, "secret")


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-signature"]), st.text()))
def test_hostile_headers_are_only_wrong(hostile: dict[str, str]) -> None:
    genuine = sent("secret")
    if {**genuine, **hostile} != genuine:
        assert not is_genuine({**genuine, **hostile}, "secret")
    assert not is_genuine({**genuine, "webhook-id": "\udcff"}, "secret")


def test_secrets_are_listed_newest_first() -> None:
    assert standard_webhooks.secrets_of(f" a new one, {BASE64},,old ") == [
        "a new one",
        BASE64,
        "old",
    ]
    assert standard_webhooks.secrets_of(" , ") == []


@pytest.mark.parametrize("wrong", ["é", "a\nb", "\x7f", "whsec_?!", "x" * 501])
def test_a_secret_that_cannot_be_used_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"has something else|holds characters") as caught:
        standard_webhooks.secrets_of(f"good,{wrong}")
    assert wrong not in str(caught.value)
