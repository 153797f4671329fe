"""Every provider with webhooks: the genuine, the forged, the hostile."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tallystick.ports.errors import (
    Forged,
    Garbled,
)
from tallystick.ports.records import Kind
from tallystick.ports.roles import (
    Delivery,
    SendsWebhooks,
)
from tallystick.ports.testing import HOSTILE_BODIES, remotes_of
from tests.providers import AnyCase, every, fit_to_show, push

pytestmark = pytest.mark.usefixtures("virtual_time")


def webhooks(case: AnyCase) -> list[bytes]:
    bodies = [file.read_bytes() for file in sorted(case.fixtures().glob("webhook_*.json"))]
    assert bodies
    return bodies


@every(SendsWebhooks)
def test_the_genuine_is_accepted_and_the_forged_is_not(case: AnyCase) -> None:
    settings = case.settings(case.stand())
    provider = case.provider(settings)
    for body in webhooks(case):
        genuine = case.sign(body, settings)
        provider.verify(genuine)
        for forged in case.forgeries(genuine):
            with pytest.raises(Forged):
                provider.verify(forged)


@every(SendsWebhooks)
def test_the_secret_of_another_connection_does_not_count(case: AnyCase) -> None:
    settings = case.settings(case.stand())
    names = [name for name, held in settings if "webhook" in name and isinstance(held, SecretStr)]
    other = settings.model_copy(update={name: SecretStr("another") for name in names})
    provider = case.provider(settings)
    for body in webhooks(case):
        with pytest.raises(Forged):
            provider.verify(case.sign(body, other))


@every(SendsWebhooks)
def test_a_repeat_has_the_identity_of_the_first(case: AnyCase) -> None:
    provider = case.provider(case.settings(case.stand()))
    bodies = webhooks(case)
    first = [event.id for body in bodies for event in provider.events(Delivery({}, body))]
    again = [event.id for body in bodies for event in provider.events(Delivery({}, body))]
    assert first == again
    assert all(event and len(event) <= 255 for event in first)


@every(SendsWebhooks)
def test_the_sandbox_sends_what_is_understood(case: AnyCase) -> None:
    stand = case.stand()
    case.before_deliveries(stand)
    provider = case.connect(stand)
    (record,) = case.records(provider, Kind.INVOICE, 1)
    (remote,) = remotes_of(push(provider, [record]))
    sent = [case.received(out) for out in case.deliveries(stand)]
    assert sent
    events = []
    for delivery in sent:
        provider.verify(delivery)
        events += provider.events(delivery)
    assert len({event.id for event in events}) == len(events)
    assert (Kind.INVOICE, remote.id) in {(event.kind, event.remote_id) for event in events}
    assert {event.account for event in events} == {provider.account()}


@every(SendsWebhooks)
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_hostile_bodies_are_forged_or_garbled(case: AnyCase, body: bytes) -> None:
    settings = case.settings(case.stand())
    provider = case.provider(settings)
    with pytest.raises(Forged):
        provider.verify(Delivery({}, body))
    rightly_signed = case.sign(body, settings)
    provider.verify(rightly_signed)
    with pytest.raises(Garbled) as caught:
        provider.events(rightly_signed)
    assert fit_to_show(str(caught.value))
