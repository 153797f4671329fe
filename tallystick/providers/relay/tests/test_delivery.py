"""How it is sent, and what the answers mean."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest

from tallystick.kit import clock, standard_webhooks
from tallystick.ports.errors import (
    Missing,
    ProviderError,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from tallystick.ports.roles import Accepted, Push
from tallystick.providers.relay.tests.answers import URL, ada, fixture, lesson, relay, sent

NEWER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HTML = {"content-type": "text/html"}

pytestmark = pytest.mark.usefixtures("virtual_time")


def test_it_is_posted_with_the_secret_and_signed() -> None:
    client, network = relay()
    client.push_customers([Push(ada())], attempt="attempt-1")
    (request,) = network.requests()
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-webhook-secret"] == "a secret"
    assert request.headers["webhook-id"] == sent(network)["delivery_id"] == "attempt-1"
    assert request.headers["webhook-timestamp"] == "1767225600"
    assert is_genuine(request, "a secret")
    assert not is_genuine(request, "another")


def is_genuine(request: httpx2.Request, secret: str) -> bool:
    return standard_webhooks.is_genuine([secret], request.headers, request.content, now=clock.now())


def test_each_secret_signs_while_one_is_replaced() -> None:
    client, network = relay(webhook_secret=f"{NEWER}, old")
    client.push_customers([Push(ada())], attempt="1")
    (request,) = network.requests()
    assert request.headers["x-webhook-secret"] == NEWER
    assert is_genuine(request, NEWER)
    assert is_genuine(request, "old")


def test_without_a_secret_nothing_is_signed() -> None:
    client, network = relay(webhook_secret="")
    client.push_customers([Push(ada())], attempt="1")
    (request,) = network.requests()
    assert "x-webhook-secret" not in request.headers
    assert "webhook-signature" not in request.headers
    assert request.headers["webhook-id"] == "1"


def test_a_repeat_of_an_attempt_is_the_same_delivery(virtual_time: clock.VirtualClock) -> None:
    client, network = relay()
    client.push_customers([Push(ada())], attempt="attempt-1")
    first = sent(network)
    virtual_time.advance(timedelta(hours=1))
    client.push_customers([Push(ada())], attempt="attempt-1")
    again = sent(network)
    assert again["delivery_id"] == first["delivery_id"] == "attempt-1"
    assert again["timestamp"] > first["timestamp"]
    assert {r.headers["webhook-id"] for r in network.requests()} == {"attempt-1"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, content=fixture("n8n_started")),
        httpx2.Response(202, content=fixture("bridge_accepted")),
        httpx2.Response(204),
        httpx2.Response(200, text="OK", headers=HTML),
    ],
    ids=["n8n", "bridge", "nothing", "a text"],
)
def test_any_success_is_an_acceptance(answer: httpx2.Response) -> None:
    client, _ = relay(answer, callback_timeout=120)
    assert client.push_customers([Push(ada())], attempt="1") == [Accepted(120)]
    assert client.push_products([Push(lesson())], attempt="2") == [Accepted(120)]
    assert client.ping().name == "n8n.example.org"


TROUBLE: dict[str, tuple[httpx2.Response | Exception, type[ProviderError], str]] = {
    "time-out": (httpx2.ReadTimeout("slow"), Unavailable, "did not answer in time"),
    "refused": (httpx2.ConnectError("refused"), Unavailable, "cannot be reached"),
    "broken off": (httpx2.ReadError("reset"), Unavailable, "broke off"),
    "301": (httpx2.Response(301, headers={"location": URL}), Unavailable, "HTTP 301"),
    "307": (httpx2.Response(307, headers={"location": URL}), Unavailable, "HTTP 307"),
    "408": (httpx2.Response(408), Unavailable, "HTTP 408"),
    "500": (httpx2.Response(500), Unavailable, "HTTP 500"),
    "503": (httpx2.Response(503, text="<html>", headers=HTML), Unavailable, "HTTP 503"),
    "404": (
        httpx2.Response(404, content=fixture("n8n_not_registered")),
        Unavailable,
        "not published",
    ),
    "405": (httpx2.Response(405), Unavailable, "not published"),
    "410": (httpx2.Response(410), Unavailable, "the address is wrong"),
    "401": (
        httpx2.Response(401, content=fixture("bridge_wrong_secret")),
        Unauthorized,
        "does not accept the secret",
    ),
    "403": (
        httpx2.Response(403, content=b"Authorization data is wrong!"),
        Unauthorized,
        "reconnect",
    ),
    "403 by another clock": (
        httpx2.Response(403, headers={"date": "Mon, 06 Nov 1995 08:49:37 GMT"}),
        Unauthorized,
        "clock and ours are .* minutes apart",
    ),
    "403 on the way": (httpx2.Response(403, text="<html>", headers=HTML), Unavailable, "way"),
    "429": (httpx2.Response(429, headers={"retry-after": "7"}), RateLimited, "enough"),
    "400": (
        httpx2.Response(400, content=fixture("bridge_malformed")),
        Refused,
        "price is missing",
    ),
    "422": (httpx2.Response(422, json={"detail": [{"loc": []}]}), Refused, "HTTP 422"),
    "413": (httpx2.Response(413, json={"message": "<b>Too large</b>"}), Refused, "Too large"),
}


@pytest.mark.parametrize(("answer", "error", "words"), TROUBLE.values(), ids=TROUBLE)
def test_what_an_answer_means(
    answer: httpx2.Response | Exception, error: type[ProviderError], words: str
) -> None:
    client, network = relay(answer)
    with pytest.raises(error, match=words) as caught:
        client.push_customers([Push(ada())], attempt="1")
    assert not isinstance(caught.value, Uncertain | Missing)
    assert isinstance(caught.value, Unauthorized) == (error is Unauthorized)
    assert len(network.requests()) <= 1
    with pytest.raises(error):
        client.ping()


def test_a_ping_asks_for_nothing() -> None:
    client, network = relay()
    info = client.ping()
    assert (info.id, info.name) == ("", "n8n.example.org")
    client.ping()
    first, second = (dict(request.headers) for request in network.requests())
    assert first["webhook-id"] != second["webhook-id"]
    told = sent(network)
    assert set(told) == {"event", "timestamp", "delivery_id"}
    assert (told["event"], told["delivery_id"]) == ("ping", second["webhook-id"])
    assert is_genuine(network.requests()[-1], "a secret")


def test_it_waits_as_long_as_the_settings_say() -> None:
    client, network = relay(timeout=3.5)
    client.ping()
    assert network.requests()[0].extensions["timeout"]["read"] == 3.5


def test_tries_are_counted_by_the_settings() -> None:
    assert relay()[0].max_attempts == 3
    assert relay(max_attempts=7)[0].max_attempts == 7
