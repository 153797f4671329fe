"""What is peculiar to Xero; what every provider must do is in `tests/test_providers.py`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from tallystick.kit import clock, signing
from tallystick.ports.descriptions import SPECS, Description
from tallystick.ports.errors import Forged, Garbled, RateLimited, Refused, Taken, Unauthorized
from tallystick.ports.records import (
    Customer,
    Invoice,
    InvoiceStatus,
    Kind,
    Line,
    Payment,
    Product,
    Record,
    Ref,
    Remote,
    Tax,
)
from tallystick.ports.roles import Delivery, Push
from tallystick.ports.samples import customer, invoice, payment, product
from tallystick.ports.sandboxing import Fault, FaultKind, Stand, transport
from tallystick.ports.testing import Case, Recorder, remotes_of
from tallystick.providers.xero import Xero, XeroSettings
from tallystick.providers.xero.reading import PAGE_SIZE
from tallystick.providers.xero.sandbox import XeroStand

FIXTURES = Path(__file__).parent / "fixtures"
ORGANISATION = "Demo Company (Global)"
BUYER = Ref(Kind.CUSTOMER, "c-1", "5b0e2f6c-1d2a-4a57-9d5b-3f5f0e6a7c11")
VAT = Tax("standard", Decimal(20))


class XeroCase(Case[Xero]):
    provider = Xero

    def stand(self) -> XeroStand:
        return XeroStand()

    def settings(self, stand: Stand, **changes: Any) -> XeroSettings:
        assert isinstance(stand, XeroStand)
        app = stand.app(ORGANISATION)
        fields = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "tenant_id": app.books.id,
            "webhook_key": app.webhooks.key,
            "account_code": "200",
            "payment_account_code": "090",
            "currency_code": "EUR",
        }
        return XeroSettings.model_validate({**fields, **changes})

    def noun(self, kind: Kind) -> str:
        return {Kind.CUSTOMER: "contacts", Kind.PRODUCT: "items"}.get(kind, kind.value)

    def path(self, kind: Kind) -> str:
        return f"/api.xro/2.0/{self.noun(kind)}"

    def token_path(self) -> str:
        return "/connect/token"

    def natural_key(self, record: Record) -> str:
        if isinstance(record, Product):
            return record.code
        return record.number if isinstance(record, Invoice) else record.key

    def broken(self, record: Record) -> Record:
        match record:
            case Customer():
                return replace(record, address=replace(record.address, country="D3"))
            case Product():
                return replace(record, price=Decimal("-1.00"))
            case Invoice():
                return replace(record, currency="XAF")
            case Payment():
                return replace(record, amount=Decimal("99999.00"))
        raise AssertionError(record)

    def description(self) -> Description:
        file = SPECS / "xero" / "xero_accounting.prism.json"
        return Description(file, base="/api.xro/2.0").required()

    def sign(self, body: bytes, settings: XeroSettings) -> Delivery:
        key = settings.webhook_keys()[0]
        return Delivery({"x-xero-signature": signing.hmac_sha256_base64(key, body)}, body)


CASE = XeroCase()


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def settings(**changes: Any) -> XeroSettings:
    fields = {
        "client_id": "ID",
        "client_secret": "a secret",
        "tenant_id": "92d5d25d-2e2a-4b66-851b-0708797364e2",
        "webhook_key": "a key",
        "account_code": "200",
        "payment_account_code": "090",
        "currency_code": "GBP",
        "tax_types": {"20": "OUTPUT2"},
    }
    return XeroSettings.model_validate({**fields, **changes})


Answers = dict[str, bytes | httpx2.Response]


def xero(answers: Answers, **changes: Any) -> tuple[Xero, Recorder]:
    """A client to which each path (with its method) answers one thing."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        found = answers[f"{request.method} {request.url.path.rpartition('/')[2]}"]
        return found if isinstance(found, httpx2.Response) else httpx2.Response(200, content=found)

    network = Recorder(httpx2.MockTransport(answer))
    return Xero(settings(**changes), transport=network), network


def sent(network: Recorder, noun: str, method: str = "PUT") -> list[dict[str, Any]]:
    """The elements of the last write."""
    bodies = [
        json.loads(r.content)
        for r in network.requests()
        if r.method == method and noun in r.url.path
    ]
    elements: list[dict[str, Any]] = bodies[-1][noun]
    return elements


# -- settings


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


# -- contacts


def test_two_people_of_one_name_stay_two() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    anna, other = (replace(customer(n), name="Anna Berg") for n in (1, 2))
    first, second = remotes_of(client.push_customers([Push(anna), Push(other)], attempt="1"))
    assert first.id != second.id
    names = [contact["Name"] for contact in stand.app(ORGANISATION).books.contacts]
    assert names == ["Anna Berg", "Anna Berg (000002)"]

    changed = replace(other, phone="0800 1")
    assert remotes_of(client.push_customers([Push(changed, second)], attempt="2"))
    assert [c["Name"] for c in stand.app(ORGANISATION).books.contacts] == names


def test_a_contact_that_someone_entered_by_hand_is_not_taken_over() -> None:
    stand = CASE.stand()
    books = stand.app(ORGANISATION).books
    stand.act("seed", {"invoices_count": 1, "organisation": ORGANISATION})
    by_hand = next(iter(books.contacts))
    ours = replace(customer(1), name=by_hand["Name"])
    (remote,) = remotes_of(CASE.connect(stand).push_customers([Push(ours)], attempt="1"))
    assert remote.id != by_hand["ContactID"]


def test_a_contact_made_by_an_attempt_that_was_forgotten_is_taken_up_and_brought_up_to_date() -> (
    None
):
    stand = CASE.stand()
    client = CASE.connect(stand)
    (before,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    moved = replace(customer(1), phone="0800 1")
    (after,) = remotes_of(client.push_customers([Push(moved)], attempt="another"))
    assert after.id == before.id
    (kept,) = stand.app(ORGANISATION).books.contacts
    assert "0800 1" in str(kept["Phones"])


def test_a_contact_says_only_what_it_should() -> None:
    client, network = xero({"PUT Contacts": fixture("contacts_created")})
    ada = replace(customer(1), email="ada@müller.example", name="A" * 300, tax_number="DE1")
    assert remotes_of(client.push_customers([Push(ada), Push(customer(2))], attempt="1"))
    element = sent(network, "Contacts")[0]
    assert set(element) == {
        "ContactNumber", "Name", "FirstName", "LastName", "EmailAddress", "TaxNumber", "Phones",
        "Addresses",
    }  # fmt: skip
    assert element["EmailAddress"] == "ada@xn--mller-kva.example"
    assert element["Name"] == "A" * 254 + "…"


@pytest.mark.parametrize("address", ["ádá@example.org", "nobody", "@", "a@" + "b" * 300, ""])
def test_an_e_mail_address_that_xero_cannot_hold_is_left_out(address: str) -> None:
    client, network = xero({"PUT Contacts": fixture("contacts_created")})
    people = [Push(replace(customer(1), email=address)), Push(customer(2))]
    assert remotes_of(client.push_customers(people, attempt="1"))
    assert sent(network, "Contacts")[0]["EmailAddress"] == ""


def test_an_inactive_customer_is_archived_and_comes_back() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    (remote,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    for is_active, status in ((False, "ARCHIVED"), (True, "ACTIVE")):
        push = Push(replace(customer(1), is_active=is_active), remote)
        assert remotes_of(client.push_customers([push], attempt=status))
        (kept,) = stand.app(ORGANISATION).books.contacts
        assert kept["ContactStatus"] == status


# -- items


def test_codes_are_cut_and_stay_apart() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    guitars = [
        replace(product(n, "EUR", CASE.tax), code="guitar-" + "x" * 60 + str(n)) for n in (1, 2)
    ]
    remotes = remotes_of(client.push_products([Push(g) for g in guitars], attempt="1"))
    assert remotes[0].id != remotes[1].id
    assert client.find_products(guitars) == remotes
    assert {len(item["Code"]) for item in stand.app(ORGANISATION).books.items} == {30}


def test_an_item_of_our_code_that_is_there_becomes_ours() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    drum = product(1, "EUR", CASE.tax)
    (before,) = remotes_of(client.push_products([Push(drum)], attempt="1"))
    (after,) = remotes_of(client.push_products([Push(replace(drum, name="Drum"))], attempt="2"))
    assert before.id == after.id


def test_a_price_in_another_currency_is_left_out() -> None:
    client, network = xero({"POST Items": fixture("items_saved")})
    assert remotes_of(client.push_products([Push(product(0, "USD", VAT))], attempt="1"))
    assert "UnitPrice" not in sent(network, "Items", "POST")[0]["SalesDetails"]


# -- invoices and their lines


def line(**changes: Any) -> Line:
    plain = Line("Lesson", Decimal(1), Decimal("10.00"), Decimal("10.00"), Decimal("2.00"), tax=VAT)
    return replace(plain, **changes)


def bill(*lines: Line, **changes: Any) -> Invoice:
    amount = sum((one.amount for one in lines), Decimal(0))
    tax = sum((one.tax_amount for one in lines), Decimal(0))
    inclusive = changes.get("inclusive", False)
    return replace(
        invoice(0, "GBP", VAT, [BUYER], []),
        lines=lines,
        tax=tax,
        subtotal=amount - tax if inclusive else amount,
        total=amount if inclusive else amount + tax,
        **changes,
    )


def pushed_lines(record: Invoice) -> list[dict[str, Any]]:
    client, network = xero({"PUT Invoices": fixture("invoices_created")})
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    lines: list[dict[str, Any]] = sent(network, "Invoices")[0]["LineItems"]
    return lines


def test_a_plain_line_keeps_its_factors() -> None:
    (element,) = pushed_lines(
        bill(line(quantity=Decimal(3), unit_price=Decimal("3.3333"), discount=Decimal("12.5"),
                  amount=Decimal("8.75"), tax_amount=Decimal("1.75")))
    )  # fmt: skip
    assert element == {
        "Description": "Lesson",
        "LineAmount": 8.75,
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
        "TaxAmount": 1.75,
        "Quantity": 3.0,
        "UnitAmount": 3.3333,
        "DiscountRate": 12.5,
    }


@pytest.mark.parametrize(
    "awkward",
    [
        line(quantity=Decimal("0.33333"), unit_price=Decimal("30.00")),
        line(quantity=Decimal(3), unit_price=Decimal("3.33333")),
        line(discount=Decimal("3.333"), unit_price=Decimal("10.34")),
        line(quantity=Decimal(7), unit_price=Decimal("1.50"), amount=Decimal("10.49")),
    ],
)
def test_a_line_whose_amount_xero_would_not_arrive_at_goes_in_one_piece(awkward: Line) -> None:
    (element,) = pushed_lines(bill(awkward))
    assert (element["Quantity"], element["UnitAmount"]) == (1.0, float(awkward.amount))
    assert element["LineAmount"] == float(awkward.amount)
    assert "DiscountRate" not in element
    if awkward.quantity != 1:
        assert element["Description"] == f"{awkward.quantity} × Lesson"  # noqa: RUF001


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (bill(line()), "Exclusive"),
        (bill(line(), inclusive=True), "Inclusive"),
        (bill(line(tax=None, tax_amount=Decimal(0))), "NoTax"),
        (bill(line(tax=None, tax_amount=Decimal(0)), inclusive=True), "NoTax"),
    ],
)
def test_what_the_amounts_hold_is_said(record: Invoice, said: str) -> None:
    client, network = xero({"PUT Invoices": fixture("invoices_created")})
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    element = sent(network, "Invoices")[0]
    assert element["LineAmountTypes"] == said
    assert element["Url"] == record.url
    assert element["Reference"] == "Order 4711"


@pytest.mark.parametrize(
    "record",
    [
        replace(bill(line()), total=Decimal("12.01")),
        replace(bill(line()), tax=Decimal("2.01")),
        bill(line(amount=Decimal("10.001"))),
        bill(line(amount=Decimal("12345678901234567.00"))),
        replace(bill(line()), is_void=True),
        replace(bill(line()), number="9" * 256),
    ],
    ids=["total", "tax", "a third decimal", "too many digits", "void", "number"],
)
def test_what_xero_cannot_hold_is_refused_without_asking(record: Invoice) -> None:
    client, network = xero(
        {"PUT Invoices": fixture("invoices_created"), "GET Invoices": b'{"Invoices":[]}'}
    )
    (outcome,) = client.push_invoices([Push(record)], attempt="1")
    assert type(outcome) is Refused
    assert not [r for r in network.requests() if r.method == "PUT"]


def test_a_number_that_is_taken_by_another_customer_is_told() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_number_taken"),
        "GET Invoices": fixture("invoices_page"),
    }
    client, _ = xero(answers)
    stranger = replace(bill(line()), customer=Ref(Kind.CUSTOMER, "c-9", BUYER.remote_id[::-1]))
    (outcome,) = client.push_invoices([Push(replace(stranger, number="2026-0000"))], attempt="1")
    assert isinstance(outcome, Taken)
    assert "2026-0000" in str(outcome)


def test_a_number_that_is_taken_by_this_very_invoice_is_found() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_number_taken"),
        "GET Invoices": fixture("invoices_page"),
    }
    client, _ = xero(answers)
    (outcome,) = client.push_invoices(
        [Push(replace(bill(line()), number="2026-0000"))], attempt="1"
    )
    assert isinstance(outcome, Remote)
    assert outcome.id == "c1a5d7e2-9b31-4f0e-8a6d-5e4f3a2b1c33"


def ready(stand: XeroStand) -> tuple[Xero, Invoice, Remote]:
    client = CASE.connect(stand)
    (record,) = CASE.records(client, Kind.INVOICE, 1)
    assert isinstance(record, Invoice)
    (remote,) = remotes_of(client.push_invoices([Push(record)], attempt="first"))
    return client, record, remote


def test_voiding_reaches_xero_and_may_be_repeated() -> None:
    client, record, remote = ready(CASE.stand())
    void = Push(replace(record, is_void=True), remote)
    for attempt in ("1", "2"):
        assert remotes_of(client.push_invoices([void], attempt=attempt))
        (found,) = client.fetch_invoices([remote.id])
        assert found.status is InvoiceStatus.VOID


def test_an_invoice_with_payments_is_not_voided_and_says_why() -> None:
    stand = CASE.stand()
    client, record, remote = ready(stand)
    stand.act("pay_invoice", {"invoice": remote.id, "organisation": ORGANISATION})
    (outcome,) = client.push_invoices([Push(replace(record, is_void=True), remote)], attempt="1")
    assert isinstance(outcome, Refused)
    assert "payments" in str(outcome)


def test_of_an_invoice_with_payments_what_can_change_changes() -> None:
    stand = CASE.stand()
    client, record, remote = ready(stand)
    stand.act("pay_invoice", {"invoice": remote.id, "amount": "1.00", "organisation": ORGANISATION})
    later = replace(record, due_date=date(2026, 3, 1), url="https://pay.example.org/new")
    assert remotes_of(client.push_invoices([Push(later, remote)], attempt="1"))
    (kept,) = stand.app(ORGANISATION).books.invoices
    assert (kept["DueDate"], kept["Url"]) == (date(2026, 3, 1), "https://pay.example.org/new")


def test_a_batch_that_is_refused_as_a_whole_is_taken_apart() -> None:
    """Seven calls find the one that spoils it."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        if request.method == "GET":
            return httpx2.Response(200, content=b'{"Payments":[]}')
        elements = json.loads(request.content)["Payments"]
        if any(element["Amount"] == 13 for element in elements):
            return httpx2.Response(400, content=fixture("validation_exception"))
        for place, element in enumerate(elements):
            element |= {"PaymentID": f"f4d8a0b5-2e64-4c3b-9d9a-{place:012d}"}
        return httpx2.Response(200, json={"Payments": elements})

    network = Recorder(httpx2.MockTransport(answer))
    client = Xero(settings(), transport=network)
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    records = [payment(n, "GBP", owed) for n in range(50)]
    records[37] = replace(records[37], amount=Decimal(13))
    outcomes = client.push_payments([Push(record) for record in records], attempt="a" * 120)
    assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Remote)] == [37]
    assert str(outcomes[37]) == "Email address must be valid."
    keys = [r.headers["Idempotency-Key"] for r in network.requests() if r.method == "PUT"]
    assert len(keys) == len(set(keys)) <= 15
    assert max(map(len, keys)) <= 128


# -- payments


def test_a_payment_without_a_bank_account_says_what_to_do() -> None:
    client, _ = xero({"GET Payments": b'{"Payments":[]}'}, payment_account_code="")
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    (outcome,) = client.push_payments([Push(payment(1, "GBP", owed))], attempt="1")
    assert isinstance(outcome, Refused)
    assert "payment account code" in str(outcome)


def test_more_than_is_due_is_refused_in_xeros_words() -> None:
    answers: Answers = {
        "PUT Payments": fixture("payments_refused"),
        "GET Payments": b'{"Payments":[]}',
    }
    client, _ = xero(answers)
    owed = Ref(Kind.INVOICE, "i-1", BUYER.remote_id)
    (outcome,) = client.push_payments([Push(payment(0, "GBP", owed))], attempt="1")
    assert "exceeds the amount outstanding" in str(outcome)


# -- tax types


@pytest.mark.parametrize(
    ("tax", "tax_type"),
    [
        (None, "NONE"),
        (Tax("standard", Decimal("20.00")), "OUTPUT2"),
        (Tax("reduced", Decimal(5)), "RROUTPUT"),
        (Tax("zero", Decimal(0)), "ZERORATEDOUTPUT"),
        (Tax("Abroad", Decimal(0)), "ECZROUTPUT"),
        (Tax("other", Decimal("7.70")), "TAX007"),
    ],
)
def test_the_tax_type_is_found(tax: Tax | None, tax_type: str) -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_created"),
        "GET TaxRates": fixture("tax_rates"),
    }
    client, network = xero(answers, tax_types={"abroad": "ECZROUTPUT", "7.7": "TAX007"})
    record = bill(line(tax=tax, tax_amount=Decimal(0)), line())
    assert remotes_of(client.push_invoices([Push(record)], attempt="1"))
    assert sent(network, "Invoices")[0]["LineItems"][0]["TaxType"] == tax_type


def test_tax_rates_are_read_once_an_hour_and_again_for_an_unknown_one() -> None:
    answers: Answers = {
        "PUT Invoices": fixture("invoices_created"),
        "GET Invoices": b'{"Invoices":[]}',
        "GET TaxRates": fixture("tax_rates"),
    }
    with clock.use(clock.VirtualClock()) as time:
        client, network = xero(answers, tax_types={})
        odd = bill(line(tax=Tax("odd", Decimal(3))))

        def asked() -> int:
            return sum("TaxRates" in r.url.path for r in network.requests())

        for record in (bill(line()), bill(line()), odd):
            outcomes = client.push_invoices([Push(record)], attempt="1")
        assert asked() == 1
        assert "add one there" in str(outcomes[0])
        time.sleep(61)
        client.push_invoices([Push(odd)], attempt="2")
        client.push_invoices([Push(bill(line()))], attempt="3")
        assert asked() == 2
        time.sleep(3601)
        client.push_invoices([Push(bill(line()))], attempt="4")
        assert asked() == 3


# -- reading


def test_what_a_page_says() -> None:
    client, network = xero({"GET Invoices": fixture("invoices_page")})
    since = datetime(2026, 1, 15, 11, tzinfo=UTC).astimezone()
    partly, paid, void = client.pull_invoices(since=since).items
    assert [i.status for i in (partly, paid, void)] == ["partially_paid", "paid", "void"]
    assert (partly.total, partly.amount_due, partly.amount_paid) == (120, 70, 50)
    assert partly.updated_at == datetime(2026, 1, 15, 10, 0, 0, 117_000, tzinfo=UTC)
    (received,) = partly.payments
    assert (received.amount, received.date) == (50, date(2026, 1, 20))
    assert partly.payments_complete
    assert partly.customer_id == BUYER.remote_id
    request = network.requests()[-1]
    assert request.headers["If-Modified-Since"] == "2026-01-15T11:00:00"
    assert request.url.params["where"] == 'Type=="ACCREC"'


def test_bills_and_unusable_ids_are_left_out() -> None:
    bills = fixture("invoices_page").replace(b"ACCREC", b"ACCPAY")
    client, network = xero({"GET Invoices": bills})
    assert client.fetch_invoices(["x", "", "1' OR 1==1"]) == []
    assert network.requests() == []
    assert client.fetch_invoices([BUYER.remote_id]) == []


@pytest.mark.parametrize("step", [timedelta(0), timedelta(milliseconds=20), timedelta(seconds=2)])
def test_a_pull_misses_nothing_and_hardly_repeats_itself(step: timedelta) -> None:
    """Changes in one second, in bulk, and far apart; some change again while pages are turned."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = {n: start + n * step for n in range(2_345)}
    template = json.loads(fixture("invoices_page"))["Invoices"][0]

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, content=fixture("token"))
        since = request.headers.get("If-Modified-Since")
        least = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else start
        listed = sorted((at, n) for n, at in times.items() if at >= least)
        first = (int(request.url.params["page"]) - 1) * PAGE_SIZE
        page = [
            {
                **template,
                "InvoiceID": f"f4d8a0b5-2e64-4c3b-9d9a-{n:012d}",
                "UpdatedDateUTC": f"/Date({at.timestamp() * 1000:.0f}+0000)/",
            }
            for at, n in listed[first : first + PAGE_SIZE]
        ]
        return httpx2.Response(200, json={"Invoices": page})

    client = Xero(settings(), transport=httpx2.MockTransport(answer))
    seen: list[str] = []
    cursor, calls = "", 0
    while calls == 0 or cursor:
        page = client.pull_invoices(since=None, cursor=cursor)
        seen += [found.remote.id for found in page.items]
        moments = [found.updated_at for found in page.items]
        assert moments == sorted(moments)
        cursor, calls = page.next, calls + 1
        assert len(cursor) <= 200
        if step >= timedelta(seconds=1):
            times[calls] = start + timedelta(days=1, seconds=calls)
    assert len(set(seen)) == len(times)
    assert len(times) / calls > 90


def test_what_is_not_an_address_for_customers_is_not_given_to_them() -> None:
    client, _ = xero({"GET OnlineInvoice": fixture("online_invoice")})
    assert client.invoice_url(BUYER.remote_id) == "https://in.xero.com/Zx81ExampleExampleExample"
    client, _ = xero(
        {"GET OnlineInvoice": fixture("online_invoice").replace(b"https:", b"javascript:")}
    )
    assert client.invoice_url(BUYER.remote_id) is None


def test_xero_e_mails_an_invoice_unless_told_not_to() -> None:
    client, network = xero({"POST Email": httpx2.Response(204)})
    client.email_invoice(BUYER.remote_id)
    assert network.requests()[-1].url.path.endswith(f"/Invoices/{BUYER.remote_id}/Email")
    client, network = xero({}, email_invoices=False)
    with pytest.raises(Refused, match="no e-mails"):
        client.email_invoice(BUYER.remote_id)


# -- answers that are not as documented


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"Invoices": []}',
        b'{"Invoices": [{}, {}]}',
        fixture("invoices_created").replace(b"2026-0000", b"2026-9999"),
        fixture("invoices_created").replace(b"c1a5d7e2-9b31-4f0e-8a6d-5e4f3a2b1c33", b""),
        fixture("invoices_created").replace(b"1768471200117", b"9" * 16),
        fixture("invoices_created").replace(b"1768471200117", b"9" * 15),
    ],
)
def test_an_answer_that_is_not_about_what_was_sent_is_garbled(body: bytes) -> None:
    client, _ = xero({"PUT Invoices": body})
    with pytest.raises(Garbled):
        client.push_invoices([Push(bill(line()))], attempt="1")


def test_a_connection_that_was_cut_must_be_made_anew() -> None:
    forbidden = httpx2.Response(403, content=fixture("problem_forbidden"))
    client, _ = xero({"GET Organisation": forbidden})
    with pytest.raises(Unauthorized, match="reconnect: AuthenticationUnsuccessful"):
        client.ping()


def test_scopes_that_are_not_allowed_are_told() -> None:
    with pytest.raises(Unauthorized, match=r"scopes .*reconnect"):
        CASE.connect(CASE.stand(), scopes="accounting.transactions").ping()


@pytest.mark.parametrize(
    ("limit", "asked", "wait"),
    [
        ("minute", "17", 17),
        ("day", "40000", 40_000),
        ("concurrent", "", 1),
        ("day", "", 3600),
        ("?", "", 60),
    ],
)
def test_which_limit_was_reached_is_told(limit: str, asked: str, wait: float) -> None:
    headers = {"X-Rate-Limit-Problem": limit, **({"Retry-After": asked} if asked else {})}
    client, _ = xero({"GET Organisation": httpx2.Response(429, headers=headers)})
    with pytest.raises(RateLimited) as caught:
        client.ping()
    assert caught.value.retry_after == wait
    assert caught.value.limit == limit.strip("?")


def test_more_calls_at_once_than_xero_allows_do_not_leave() -> None:
    assert Xero.concurrency == 5
    assert {limit.name: limit.calls for limit in Xero.limits} == {
        "minute": 60,
        "day": 5000,
        "appminute": 10_000,
    }


# -- webhooks


def test_a_webhook_counts_with_either_key_while_it_is_replaced() -> None:
    old, new = settings(webhook_key="old"), settings(webhook_key="new")
    both, _ = xero({}, webhook_key="new, old")
    body = fixture("webhook_invoice_updated")
    for signed_with in (old, new):
        both.verify(CASE.sign(body, signed_with))
    with pytest.raises(Forged):
        both.verify(CASE.sign(body, settings(webhook_key="older")))


@pytest.mark.parametrize("key", ["", " ", ",", " , "])
def test_without_a_key_nothing_is_genuine(key: str) -> None:
    client, _ = xero({}, webhook_key=key)
    body = fixture("webhook_invoice_updated")
    signature = signing.hmac_sha256_base64("", body)
    with pytest.raises(Forged, match="No webhook key"):
        client.verify(Delivery({"x-xero-signature": signature}, body))


def test_events_we_do_not_follow_are_told_as_such() -> None:
    client, _ = xero({})
    for name in ("creditnote_created", "subscription_created"):
        (event,) = client.events(Delivery({}, fixture(f"webhook_{name}")))
        assert event.kind is None


def test_intent_to_receive_has_no_events() -> None:
    client, _ = xero({})
    assert client.events(Delivery({}, fixture("webhook_intent_to_receive"))) == []


def test_the_tenant_of_an_event_is_the_account_of_the_connection() -> None:
    client, _ = xero({})
    (event,) = client.events(Delivery({}, fixture("webhook_invoice_updated")))
    assert event.account == client.account()
    assert (event.kind, event.change) == (Kind.INVOICE, "updated")
    assert event.at == datetime(2026, 1, 20, 10, 0, 0, 117_000, tzinfo=UTC)


# -- fixtures


@pytest.fixture(scope="module")
def description() -> Description:
    return CASE.description()


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("organisation", "GET", "/Organisation", 200),
        ("contacts_created", "PUT", "/Contacts", 200),
        ("contacts_one_refused", "PUT", "/Contacts", 200),
        ("items_saved", "POST", "/Items", 200),
        ("invoices_created", "PUT", "/Invoices", 200),
        ("invoices_one_refused", "PUT", "/Invoices", 200),
        ("invoices_number_taken", "PUT", "/Invoices", 200),
        ("invoices_page", "GET", "/Invoices", 200),
        ("payments_created", "PUT", "/Payments", 200),
        ("payments_refused", "PUT", "/Payments", 200),
        ("tax_rates", "GET", "/TaxRates", 200),
        ("online_invoice", "GET", "/Invoices/x/OnlineInvoice", 200),
        ("validation_exception", "PUT", "/Contacts", 400),
    ],
)
def test_fixtures_are_of_the_described_shape(
    description: Description, name: str, method: str, path: str, status: int
) -> None:
    assert description.answer_complaints(method, path, status, fixture(name)) == []


def test_one_refused_contact_does_not_spoil_its_batch() -> None:
    answers: Answers = {
        "PUT Contacts": fixture("contacts_one_refused"),
        "GET Contacts": b'{"Contacts":[]}',
    }
    client, network = xero(answers)
    people = [Push(customer(1)), Push(customer(2))]
    first, second = client.push_customers(people, attempt="1")
    assert isinstance(first, Remote)
    assert isinstance(second, Garbled)
    assert len([r for r in network.requests() if r.method == "PUT"]) == 2


def test_a_lost_answer_of_a_second_try_leaves_the_first_its_own() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    people = [Push(replace(customer(n), name="Anna Berg")) for n in (1, 2)]
    network = _Second(stand)
    client = CASE.connect(stand, network=network)
    first, second = client.push_customers(people, attempt="1")
    assert isinstance(first, Remote)
    assert not isinstance(second, Remote)
    assert client.find_customers([people[1].record]) != [None]


class _Second(httpx2.BaseTransport):
    """The answer to the second write is lost."""

    def __init__(self, stand: XeroStand) -> None:
        self._stand = stand
        self._inner = transport(stand)
        self._writes = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "PUT":
            self._writes += 1
            if self._writes == 2:
                self._stand.faults.switch_on(Fault(kind=FaultKind.LOST_ANSWER, times=1))
        return self._inner.handle_request(request)
