"""One suite, every provider: what the engine may rely on, whichever provider it is."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import httpx2
import pytest
from pydantic import ValidationError

from tallystick.kit import clock
from tallystick.ports.errors import (
    Refused,
)
from tallystick.ports.fields import MapsFields
from tallystick.ports.provider import Category
from tallystick.ports.records import Invoice, Kind, Payment
from tallystick.ports.roles import (
    FetchesInvoices,
    HostsInvoices,
    PullsInvoices,
    Push,
    pusher,
    pusher_role,
)
from tallystick.ports.sandboxing import transport
from tallystick.ports.testing import Recorder, remotes_of, sent
from tests.providers import (
    AnyCase,
    every,
    every_push,
    find,
    fit_to_show,
    only_if_it_can_be_asked,
    push,
)

pytestmark = pytest.mark.usefixtures("virtual_time")


@every()
def test_it_introduces_itself(case: AnyCase) -> None:
    provider = case.provider
    assert provider.type == provider.type.upper()
    assert provider.type.replace("_", "").isalnum()
    assert provider.name
    assert isinstance(provider.category, Category)
    assert min(provider.concurrency, provider.batch_size, provider.fetch_size) >= 1
    assert len({limit.name for limit in provider.limits}) == len(provider.limits)
    assert all(limit.scope in {"connection", "app"} for limit in provider.limits)


@every(MapsFields)
def test_what_goes_into_a_field_is_described_and_may_be_left_alone(case: AnyCase) -> None:
    stand = case.stand()
    provider = case.connect(stand)
    for kind, setting in provider.field_settings.items():
        (record,) = case.records(provider, kind, 1)
        fields = {field.name: field for field in provider.fields(kind)}
        said = provider.said(record, provider.settings)
        assert said.keys() <= fields.keys()
        assert not provider.otherwise(record, provider.settings)
        name = next(name for name in said if not fields[name].is_fixed)
        chosen = case.settings(stand, **{setting: {name: ""}})
        assert name not in provider.said(record, chosen)
        assert provider.otherwise(record, chosen) == ((name, None),)


@every()
def test_a_misspelt_setting_is_an_error(case: AnyCase) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        case.settings(case.stand(), clientid="x")


@every()
def test_secrets_do_not_show(case: AnyCase) -> None:
    settings = case.settings(case.stand())
    secrets = case.secrets(settings)
    assert secrets
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {case.connect(case.stand())!r}"
    assert not [secret for secret in secrets if secret in shown]


@every()
def test_it_is_light(case: AnyCase) -> None:
    """It can be used, and is imported by every process, without Django."""
    module = case.provider.__module__.rpartition(".")[0]
    program = f"import sys, {module}; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert not {"django", "pytest", "jsonschema", "httpx2"} & set(done.stdout.split())


@every_push
def test_what_is_new_is_made_once_and_found_again(case: AnyCase, kind: Kind) -> None:
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 3)
    remotes = case.settled(stand, records, push(provider, records))
    ids = [remote.id for remote in remotes]
    assert len(set(ids)) == len(records)
    there = [None] * 3 if case.provider.by_callback else ids
    assert [remote and remote.id for remote in find(provider, records)] == there
    made = stand.ledger.counts(case.noun(kind))
    assert all(made[case.natural_key(record)] == 1 for record in records)


@every_push
def test_what_is_not_there_is_not_found(case: AnyCase, kind: Kind) -> None:
    only_if_it_can_be_asked(case)
    provider = case.connect(case.stand())
    records = case.records(provider, kind, 50)
    first = records[:1]
    remotes_of(push(provider, first))
    found = find(provider, records[1:] + first)
    assert found[:-1] == [None] * 49
    assert found[-1]


@every_push
def test_nothing_to_do_is_no_call(case: AnyCase, kind: Kind) -> None:
    network = Recorder(transport(case.stand()))
    verbs = pusher(case.connect(case.stand(), network=network), kind)
    assert verbs
    assert verbs.push([], attempt="1") == []
    assert verbs.find([]) == []
    assert network.requests() == []


@every_push
def test_the_same_attempt_again_has_no_second_effect(case: AnyCase, kind: Kind) -> None:
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 2)
    first = case.settled(stand, records, push(provider, records, attempt="again"))
    again = case.settled(stand, records, push(provider, records, attempt="again"))
    assert again == first
    assert stand.ledger.doubled() == []


@every_push
def test_another_attempt_for_what_is_there_makes_no_second(case: AnyCase, kind: Kind) -> None:
    """After a backup was restored, say. The engine looks first; this is for when it cannot know."""
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 2)
    case.settled(stand, records, push(provider, records, attempt="1"))
    if kind is Kind.PAYMENT:
        pytest.skip("Two payments of one invoice may look alike: only a look tells them apart.")
    case.settled(stand, records, push(provider, records, attempt="2"))
    assert stand.ledger.doubled() == []


@every_push
def test_a_batch_is_one_call_and_may_be_full(case: AnyCase, kind: Kind) -> None:
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    records = case.records(provider, kind, case.provider.batch_size)
    before = len(writes(case, network, kind))
    case.settled(stand, records, push(provider, records, attempt="a" * 120))
    assert len(writes(case, network, kind)) == before + 1


def writes(case: AnyCase, network: Recorder, kind: Kind) -> list[httpx2.Request]:
    return [
        request
        for request in network.requests()
        if request.method != "GET" and case.path(kind) in request.url.path.lower()
    ]


@every_push
def test_one_bad_record_does_not_spoil_its_batch(case: AnyCase, kind: Kind) -> None:
    only_if_it_can_be_asked(case)
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 5)
    at = len(records) // 2
    records[at] = case.broken(records[at])
    outcomes = push(provider, records)
    bad = outcomes.pop(at)
    assert isinstance(bad, Refused)
    assert fit_to_show(str(bad))
    assert len(remotes_of(outcomes)) == len(records) - 1
    assert stand.ledger.doubled() == []


@every_push
def test_a_change_changes_the_same_one(case: AnyCase, kind: Kind) -> None:
    if kind is Kind.PAYMENT:
        pytest.skip("A payment never changes.")
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 2)
    remotes = case.settled(stand, records, push(provider, records))
    changes = [Push(record, remote) for record, remote in zip(records, remotes, strict=True)]
    again = case.settled(stand, records, sent(provider, changes, "2"))
    assert [remote.id for remote in again] == [remote.id for remote in remotes]
    assert stand.ledger.doubled() == []


@every_push
def test_requests_are_as_the_provider_describes_them(case: AnyCase, kind: Kind) -> None:
    description = case.description()
    if description is None:
        pytest.skip("There is no description.")
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    records = case.records(provider, kind, 2)
    remotes = case.settled(stand, records, push(provider, records))
    find(provider, records)
    if kind is not Kind.PAYMENT:
        sent(provider, [Push(records[0], remotes[0])], "2")
    token_path = case.token_path() or "none"
    asked = [r for r in network.requests() if not r.url.path.endswith(token_path)]
    assert asked
    assert {str(r.url): description.complaints(r) for r in asked} == {str(r.url): [] for r in asked}


@every(FetchesInvoices)
def test_invoices_are_fetched_by_id(case: AnyCase) -> None:
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    records = case.records(provider, Kind.INVOICE, case.provider.fetch_size)
    remotes = remotes_of(push(provider, records))
    before = len(network.requests())
    ids = [remote.id for remote in remotes]
    found = {invoice.remote.id: invoice for invoice in provider.fetch_invoices(ids)}
    assert len(network.requests()) == before + 1
    assert set(found) == set(ids)
    for record, remote in zip(records, remotes, strict=True):
        assert isinstance(record, Invoice)
        there = found[remote.id]
        assert (there.number, there.total, there.currency) == (
            record.number,
            record.total,
            record.currency,
        )
        assert there.remote.version == remote.version
        assert (there.amount_due, there.status) == (record.total, "open")


@every(FetchesInvoices)
def test_unknown_invoices_are_left_out(case: AnyCase) -> None:
    provider = case.connect(case.stand())
    (record,) = case.records(provider, Kind.INVOICE, 1)
    (remote,) = remotes_of(push(provider, [record]))
    unknown = [remote.id[:-6] + "abcdef", "", "no id", "é\x00", "x" * 500]
    assert [i.remote.id for i in provider.fetch_invoices([*unknown, remote.id])] == [remote.id]
    assert provider.fetch_invoices([]) == []


@every(PullsInvoices)
def test_a_pull_brings_what_changed_since(case: AnyCase, virtual_time: clock.VirtualClock) -> None:
    provider = case.connect(case.stand())
    records = case.records(provider, Kind.INVOICE, 3)
    ids = []
    for place, record in enumerate(records):
        virtual_time.advance(timedelta(minutes=1))
        ids += [remote.id for remote in remotes_of(push(provider, [record], attempt=str(place)))]
    page = provider.pull_invoices(since=None)
    assert [invoice.remote.id for invoice in page.items] == ids
    assert page.next == ""
    since = page.items[1].updated_at
    assert [i.remote.id for i in provider.pull_invoices(since=since).items] == ids[1:]
    assert provider.pull_invoices(since=virtual_time.now() + timedelta(days=1)).items == ()


@every(PullsInvoices)
def test_payments_made_there_come_back(case: AnyCase) -> None:
    if not pusher_role(case.provider, Kind.PAYMENT):
        pytest.skip("It takes no payments.")
    provider = case.connect(case.stand())
    (record,) = case.records(provider, Kind.PAYMENT, 1)
    (remote,) = remotes_of(push(provider, [record]))
    (invoice,) = provider.pull_invoices(since=None).items
    assert isinstance(record, Payment)
    assert (invoice.status, invoice.amount_paid) == ("partially_paid", record.amount)
    assert invoice.amount_due == invoice.total - record.amount
    assert invoice.payments_complete
    (payment,) = invoice.payments
    assert (payment.remote.id, payment.amount, payment.date) == (
        remote.id,
        record.amount,
        record.date,
    )


@every(HostsInvoices)
def test_an_invoice_has_a_page_for_its_customer(case: AnyCase) -> None:
    provider = case.connect(case.stand())
    (record,) = case.records(provider, Kind.INVOICE, 1)
    (remote,) = remotes_of(push(provider, [record]))
    url = provider.invoice_url(remote.id)
    assert url is None or url.startswith("https://")
    assert provider.invoice_url(remote.id[:-6] + "abcdef") is None
