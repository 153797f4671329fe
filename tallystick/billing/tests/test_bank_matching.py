"""Matching: books what is beyond doubt, proposes the rest, never guesses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.accounts.models import Account, Website
from tallystick.billing import payments
from tallystick.billing.banking.importing import import_statement
from tallystick.billing.banking.matching import match_all
from tallystick.billing.banking.method import NotArrived
from tallystick.billing.banking.names import alike
from tallystick.billing.banking.proposals import BankProposal, Outdated, ProposalKind
from tallystick.billing.banking.transactions import (
    AlreadyDecided,
    BankTransaction,
    LineState,
    NothingChosen,
    NotMoneyIn,
    WrongSum,
)
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.states import InvoiceStatus, PaymentStatus, RefundStatus
from tallystick.billing.tests import bank, making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.wallets import available
from tallystick.events.models import Event
from tallystick.kit.money import Money

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.fixture
def website(db: None) -> Website:
    return bank.website()


@pytest.fixture
def account(website: Website) -> Account:
    return making.account(website, user=making.user(first_name="Ada", last_name="Lovelace"))


@pytest.fixture
def invoice(account: Account) -> Invoice:
    return bank.issued(account)


def only(line: BankTransaction) -> BankProposal:
    (proposal,) = line.proposals.all()
    return proposal


def codes(proposal: BankProposal) -> set[str]:
    return {reason["code"] for reason in proposal.reasons}


# -- booked by itself


def test_a_reference_and_the_whole_amount_pay_the_invoice(
    website: Website, invoice: Invoice
) -> None:
    line = bank.one(website, "119.00", f"Danke {bank.reference(invoice).lower()}")
    assert line.state == LineState.MATCHED
    invoice.refresh_from_db()
    assert invoice.is_paid
    payment = line.payment
    assert payment is not None
    assert (payment.method, payment.money, payment.status) == (
        "bank_transfer",
        eur("119"),
        PaymentStatus.SUCCEEDED,
    )
    assert payment.received_on == line.booked_on
    assert payment.key.endswith(f"bank:{line.uid.hex}")
    assert Event.objects.of(website).filter(kind="bank.line_matched").count() == 1
    assert Email.objects.filter(key=PAYMENT_RECEIVED).count() == 1


def test_several_references_of_one_client_that_add_up_are_one_payment(
    website: Website, account: Account
) -> None:
    invoices = [bank.issued(account) for _ in range(3)]
    text = " ".join(map(bank.reference, invoices))
    line = bank.one(website, "357.00", text)
    assert line.state == LineState.MATCHED
    assert line.payment is not None
    assert line.payment.allocations.count() == 3
    assert [bank.paid(each) for each in invoices] == [D("119")] * 3


def test_a_written_off_invoice_is_paid_after_all(website: Website, invoice: Invoice) -> None:
    invoice.write_off(reason="gone")
    assert bank.one(website, "119.00", bank.reference(invoice)).state == LineState.MATCHED
    assert bank.paid(invoice) == D("119")


def test_the_rest_of_an_invoice_is_paid(website: Website, invoice: Invoice) -> None:
    payments.pay(invoice, eur("19"), method="manual", by=None)
    assert bank.one(website, "100.00", bank.reference(invoice)).state == LineState.MATCHED
    assert bank.paid(invoice) == D("119")


@pytest.mark.parametrize("name", ["camt053_v02_sparkasse.xml", "camt053_v08_bnp.xml", "dkb.csv"])
def test_files_of_banks_pay_invoices(website: Website, account: Account, name: str) -> None:
    invoice = bank.issued(account, "7K3M9QZXABCD")
    assert bank.fixture(website, name)[0].state == LineState.MATCHED
    assert bank.paid(invoice) == D("119")


# -- only proposed


def test_less_than_what_is_due_is_proposed(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "100.00", bank.reference(invoice))
    assert line.state == LineState.PROPOSED
    assert codes(only(line)) == {"reference", "less"}
    assert bank.paid(invoice) == 0
    line.accept(only(line), by=None)
    assert bank.paid(invoice) == D("100")
    assert line.state == LineState.ACCEPTED


def test_more_than_what_is_due_goes_to_the_wallet_when_somebody_says_so(
    website: Website, account: Account, invoice: Invoice
) -> None:
    line = bank.one(website, "150.00", bank.reference(invoice))
    assert codes(only(line)) == {"reference", "more"}
    line.accept(only(line), by=None)
    assert bank.paid(invoice) == D("119")
    assert available(account, "EUR") == eur("31")


def test_what_comes_twice_is_not_booked_twice(
    website: Website, account: Account, invoice: Invoice
) -> None:
    first, second = bank.imported(
        website,
        ("119.00", f"{bank.reference(invoice)} a"),
        ("119.00", f"{bank.reference(invoice)} b"),
    )
    assert (first.state, second.state) == (LineState.MATCHED, LineState.PROPOSED)
    assert "not_payable" in codes(only(second))
    second.accept(only(second), by=None)
    assert available(account, "EUR") == eur("119")
    assert bank.paid(invoice) == D("119")


def test_money_for_a_void_invoice_is_proposed_for_the_wallet(
    website: Website, account: Account, invoice: Invoice
) -> None:
    invoice.void(reason="wrong")
    line = bank.one(website, "119.00", bank.reference(invoice))
    assert "not_payable" in codes(only(line))
    line.accept(only(line), by=None)
    assert available(account, "EUR") == eur("119")


@pytest.mark.parametrize("how", ["number", "bare", "mistyped"])
def test_weaker_evidence_is_proposed(website: Website, account: Account, how: str) -> None:
    invoice = bank.issued(account, "70319QZXABCD")
    texts = {
        "number": f"Zahlung {invoice.number}",
        "bare": "70319QZXABCD",
        "mistyped": bank.reference(invoice).replace("70319", "7O3L9"),
    }
    line = bank.one(website, "119.00", texts[how])
    assert line.state == LineState.PROPOSED
    assert codes(only(line)) == {how, "amount"}


def test_the_amount_and_a_name_that_is_alike_are_proposed(
    website: Website, invoice: Invoice
) -> None:
    line = bank.one(website, "119.00", "thanks", "LOVELACE, ADA MS")
    assert codes(only(line)) == {"name", "amount"}
    assert bank.paid(invoice) == 0


def test_the_amount_alone_is_nothing(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "119.00", "thanks", "Grace Hopper")
    assert (line.state, line.proposals.count()) == (LineState.UNMATCHED, 0)


def test_who_paid_before_from_an_account_is_known_by_it(website: Website, account: Account) -> None:
    iban = "DE02500105170137075030"
    first = bank.issued(account)
    bank.imported(website, ("119.00", bank.reference(first), "X", iban))
    bank.issued(account)
    line = bank.one(website, "119.00", "as always", "Somebody else", iban)
    assert codes(only(line)) == {"sender", "amount"}


def test_two_that_are_alike_are_both_proposed(website: Website, account: Account) -> None:
    for _ in range(2):
        bank.issued(account)
    line = bank.one(website, "119.00", "thanks", "Ada Lovelace")
    assert (line.state, line.proposals.count()) == (LineState.PROPOSED, 2)


def test_two_invoices_named_of_which_one_would_do_are_not_guessed(
    website: Website, account: Account
) -> None:
    one, two = bank.issued(account), bank.issued(account)
    line = bank.one(website, "119.00", f"{bank.reference(one)} {bank.reference(two)}")
    assert line.state == LineState.PROPOSED
    assert bank.paid(one) == bank.paid(two) == 0


def test_a_reference_and_another_number_are_not_guessed(website: Website, account: Account) -> None:
    one, two = bank.issued(account), bank.issued(account)
    line = bank.one(website, "119.00", f"{bank.reference(one)} for {two.number}")
    assert line.state == LineState.PROPOSED
    assert all("several" in codes(each) for each in line.proposals.filter(rank__gt=60))


def test_a_reference_beside_a_stranger_s_is_not_guessed(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "119.00", f"{bank.reference(invoice)} RF18539007547034")
    assert line.state == LineState.PROPOSED


def test_invoices_of_two_clients_are_not_booked_as_one(website: Website, account: Account) -> None:
    one, two = bank.issued(account), bank.issued(making.account(website))
    line = bank.one(website, "238.00", f"{bank.reference(one)} {bank.reference(two)}")
    assert line.state == LineState.PROPOSED
    assert all("several_clients" in codes(each) for each in line.proposals.all())


def test_another_currency_is_not_matched(website: Website, account: Account) -> None:
    invoice = bank.issued(account, currency="USD")
    line = bank.one(website, "119.00", bank.reference(invoice))
    assert (line.state, bank.paid(invoice)) == (LineState.UNMATCHED, D(0))


def test_another_website_s_invoice_is_a_stranger(website: Website) -> None:
    other = bank.issued(making.account(bank.website()))
    line = bank.one(website, "119.00", bank.reference(other))
    assert (line.state, bank.paid(other)) == (LineState.UNMATCHED, D(0))


def test_a_draft_is_not_matched(website: Website, account: Account) -> None:
    draft = making.draft(account)
    line = bank.one(website, "119.00", bank.reference(draft))
    assert line.state == LineState.UNMATCHED


def test_a_file_whose_balances_do_not_agree_books_nothing(
    website: Website, account: Account
) -> None:
    bank.issued(account, "7K3M9QZXABCD")
    data = (bank.FIXTURES / "camt053_v02_sparkasse.xml").read_bytes()
    statement = import_statement(website, data.replace(b">1287.50<", b">1288.50<"))
    line = bank.lines_of(statement)[0]
    assert line.state == LineState.PROPOSED
    assert "balance" in codes(only(line))


def test_what_another_file_has_already_is_not_booked_again(
    website: Website, account: Account
) -> None:
    """Two invoices of the same amount; the second file's line must not pay the second one."""
    first = bank.issued(account, "7K3M9QZXABCD")
    bank.imported(website, ("119.00", "no reference in the table"))
    line = bank.fixture(website, "camt053_v02_sparkasse.xml")[0]
    assert line.state == LineState.PROPOSED
    best = line.proposals.first()
    assert best is not None
    assert best.kind == ProposalKind.DOUBLE
    best.accept(by=None)
    line.refresh_from_db()
    assert (line.state, bank.paid(first)) == (LineState.IGNORED, D(0))


@given(
    amount=st.decimals(D("0.01"), D("500"), places=2),
    before=st.sampled_from(["", "Zahlung ", "SVWZ+", "7K3M9QZXABCD "]),
    after=st.sampled_from(["", " danke", " RF18539007547034", " INV-2026-00001"]),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_is_booked_but_what_is_due(
    website: Website, amount: Decimal, before: str, after: str
) -> None:
    """Whatever the text around it: what was booked by itself is what was due, on what was named."""
    account = making.account(website)
    invoice = bank.issued(account)
    line = bank.one(website, f"{amount:.2f}", f"{before}{bank.reference(invoice)}{after}")
    booked = line.state == LineState.MATCHED
    assert bank.paid(invoice) == (D("119") if booked else 0)
    assert not booked or amount == D("119")


# -- money out


def test_other_money_out_needs_nobody(website: Website) -> None:
    line = bank.one(website, "-12.50", "fees")
    assert line.state == LineState.OUTGOING


def test_a_payment_that_the_bank_takes_back_is_proposed_not_booked(
    website: Website, account: Account
) -> None:
    invoice = bank.issued(account, "2HN8WV4T6PYE")
    lines = bank.fixture(website, "camt053_v02_sparkasse.xml")
    came, back = lines[1], lines[4]
    assert came.state == LineState.MATCHED
    assert bank.paid(invoice) == D("119")
    assert back.state == LineState.PROPOSED
    best = back.proposals.first()
    assert best is not None
    assert (best.kind, best.payment) == (ProposalKind.REVERSAL, came.payment)
    assert codes(best) == {"reversal", "same_reference"}
    back.accept(best, by=None)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid) == (InvoiceStatus.OPEN, D(0))
    assert back.refund is not None
    assert back.refund.status == RefundStatus.SUCCEEDED
    assert back.refund.refunded_on == back.booked_on


def test_of_two_payments_alike_a_reversal_takes_back_the_one_it_names(
    website: Website, account: Account
) -> None:
    one, two = bank.issued(account, "7K3M9QZXABCD"), bank.issued(account, "2HN8WV4T6PYE")
    came = bank.imported(website, *[("119.00", bank.reference(each)) for each in (one, two)])
    for invoice, line in zip((one, two), came, strict=True):
        back = bank.one(website, "-119.00", f"Ruecklastschrift {bank.reference(invoice)}")
        assert only(back).payment == line.payment
    camt = bank.fixture(website, "camt053_v02_sparkasse.xml")[4]
    likeliest = camt.proposals.filter(kind=ProposalKind.REVERSAL).first()
    assert likeliest is not None
    assert likeliest.payment == came[1].payment


def test_a_reversal_of_nothing_known_needs_somebody(website: Website) -> None:
    back = bank.fixture(website, "camt053_v02_sparkasse.xml")[4]
    assert (back.state, back.proposals.count()) == (LineState.UNMATCHED, 0)


def test_a_charge_that_came_back_pays_nothing(db: None) -> None:
    website = bank.website(iban="CH93 0076 2011 6238 5295 7", currency="CHF")
    lines = bank.fixture(website, "camt053_v04_zkb.xml")
    assert lines[1].state == LineState.UNMATCHED


def test_a_debit_of_a_refund_that_waits_confirms_it(
    website: Website, account: Account, invoice: Invoice
) -> None:
    came = bank.one(website, "119.00", bank.reference(invoice))
    assert came.payment is not None
    refund = payments.refund(came.payment, eur("19"), by=None, reason="kind")
    assert refund.status == RefundStatus.PENDING
    out = bank.one(website, "-19.00", "Erstattung")
    assert codes(only(out)) == {"refund"}
    out.accept(only(out), by=None)
    refund.refresh_from_db()
    assert (refund.status, refund.refunded_on) == (RefundStatus.SUCCEEDED, out.booked_on)
    assert out.refund == refund


def test_a_refund_goes_out_once(website: Website, account: Account, invoice: Invoice) -> None:
    came = bank.one(website, "119.00", bank.reference(invoice))
    assert came.payment is not None
    refund = payments.refund(came.payment, eur("50"), by=None, reason="kind")
    rows = [("-50.00", f"Erstattung {n}") for n in (1, 2, 3)]
    one, two, three = bank.imported(website, *rows)
    stale = only(two)
    three.proposals.create(
        website=website, kind=ProposalKind.REVERSAL, payment=came.payment, rank=1
    )
    one.accept(only(one), by=None)
    two.refresh_from_db()
    three.refresh_from_db()
    assert (two.state, two.proposals.count()) == (LineState.OUTGOING, 0)
    assert (three.state, only(three).kind) == (LineState.PROPOSED, ProposalKind.REVERSAL)
    with pytest.raises(AlreadyDecided, match="does not wait"):
        two.accept(stale, by=None)
    two.refresh_from_db()
    assert (two.state, two.refund) == (LineState.OUTGOING, None)
    assert list(refund.bank_lines.all()) == [one]
    with pytest.raises(IntegrityError), transaction.atomic():
        BankTransaction.objects.of(website).filter(pk=two.pk).update(
            refund=refund, state=LineState.ACCEPTED
        )


def test_a_refund_that_was_told_by_hand_can_still_get_its_line(
    website: Website, account: Account, invoice: Invoice
) -> None:
    came = bank.one(website, "119.00", bank.reference(invoice))
    assert came.payment is not None
    told, failed = (
        payments.refund(came.payment, eur("50"), by=None, reason="kind") for _n in range(2)
    )
    one, two = bank.imported(website, ("-50.00", "Erstattung 1"), ("-50.00", "Erstattung 2"))
    told.succeed()
    one.confirm_refund(told, by=None)
    assert one.refund == told
    failed.fail("no such account")
    with pytest.raises(AlreadyDecided):
        two.confirm_refund(failed, by=None)


_TWO = """<NtryDtls><TxDtls><RmtInf><Ustrd>{ref}</Ustrd></RmtInf></TxDtls>
<TxDtls><RmtInf><Ustrd>Spende</Ustrd></RmtInf></TxDtls></NtryDtls>"""
_COUNTED = """<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch></NtryDtls>
<AddtlNtryInf>{ref}</AddtlNtryInf>"""
_ONE_OF_THREE = """<NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch>
<TxDtls><RmtInf><Ustrd>{ref}</Ustrd></RmtInf></TxDtls></NtryDtls>"""
_ONE = """<NtryDtls><Btch><NbOfTxs>1</NbOfTxs></Btch>
<TxDtls><RmtInf><Ustrd>{ref}</Ustrd></RmtInf></TxDtls></NtryDtls>"""


def camt_line(website: Website, details: str) -> BankTransaction:
    """The one entry, of 119.00, of a CAMT.053 with these details."""
    data = f"""<Document><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>{bank.IBAN}</IBAN></Id></Acct>
    <Ntry><Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2026-03-16</Dt></BookgDt>{details}</Ntry></Stmt></BkToCstmrStmt></Document>"""
    (line,) = bank.lines_of(import_statement(website, data.encode(), name="lump.xml"))
    return line


@pytest.mark.parametrize("details", [_TWO, _COUNTED, _ONE_OF_THREE])
def test_a_lump_sum_of_several_payments_is_only_proposed(
    website: Website, invoice: Invoice, details: str
) -> None:
    line = camt_line(website, details.format(ref=bank.reference(invoice)))
    assert (line.state, bank.paid(invoice)) == (LineState.PROPOSED, D(0))
    assert codes(only(line)) == {"reference", "amount", "batch"}


def test_a_batch_of_one_is_no_lump_sum(website: Website, invoice: Invoice) -> None:
    line = camt_line(website, _ONE.format(ref=bank.reference(invoice)))
    assert (line.state, bank.paid(invoice)) == (LineState.MATCHED, D("119"))


# -- by hand


def test_a_line_is_split_over_invoices_and_the_wallet(website: Website, account: Account) -> None:
    one, two = bank.issued(account), bank.issued(account)
    line = bank.one(website, "200.00", "for both")
    line.book([(one, D("119")), (two, D("50"))], by=None)
    assert (bank.paid(one), bank.paid(two)) == (D("119"), D("50"))
    assert available(account, "EUR") == eur("31")


def test_a_line_goes_to_a_wallet(website: Website, account: Account) -> None:
    line = bank.one(website, "200.00", "in advance")
    payment = line.to_wallet(account, by=None)
    assert available(account, "EUR") == eur("200")
    assert (payment.invoice, payment.received_on) == (None, line.booked_on)


def test_more_than_came_is_not_booked(website: Website, account: Account) -> None:
    one, two = bank.issued(account), bank.issued(account)
    line = bank.one(website, "200.00", "for both")
    with pytest.raises(WrongSum):
        line.book([(one, D("119")), (two, D("100"))], by=None)
    line.refresh_from_db()
    assert (line.state, bank.paid(one)) == (LineState.UNMATCHED, D(0))


def test_money_out_is_not_booked_on_invoices(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "-119.00", "rent")
    with pytest.raises(NotMoneyIn):
        line.book([(invoice, D("119"))], by=None)


def test_another_website_s_client_gets_nothing(website: Website) -> None:
    stranger = making.account(bank.website())
    line = bank.one(website, "5.00", "a")
    with pytest.raises(NothingChosen):
        line.to_wallet(stranger, by=None)


def test_twice_books_once(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "100.00", bank.reference(invoice))
    again = BankTransaction.objects.of(website).get(pk=line.pk)
    first = line.book([(invoice, D("100"))], by=None)
    assert again.book([(invoice, D("100"))], by=None) == first
    assert Payment.objects.of(website).count() == 1


def test_what_is_set_aside_comes_back(website: Website) -> None:
    line = bank.one(website, "5.00", "private")
    line.ignore(by=making.staff(website), note="not ours")
    with pytest.raises(AlreadyDecided):
        line.ignore(by=None)
    assert (line.state, line.note) == (LineState.IGNORED, "not ours")
    line.put_back(by=None)
    assert (line.state, line.note) == (LineState.UNMATCHED, "")
    kinds = Event.objects.of(website).values_list("kind", flat=True)
    assert {"bank.line_ignored", "bank.line_put_back"} <= set(kinds)
    assert "not ours" not in "".join(Event.objects.of(website).values_list("change", flat=True))


def test_a_booked_line_is_not_set_aside(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "119.00", bank.reference(invoice))
    with pytest.raises(AlreadyDecided):
        line.ignore(by=None)


def test_a_proposal_that_is_outdated_books_nothing(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "100.00", bank.reference(invoice))
    payments.mark_paid(invoice, by=None)
    with pytest.raises(Outdated):
        line.accept(only(line), by=None)
    line.refresh_from_db()
    assert line.state == LineState.PROPOSED


def test_looking_again_finds_what_was_issued_since(website: Website, account: Account) -> None:
    line = bank.one(website, "119.00", "7K3M9QZXABCD")
    assert line.state == LineState.UNMATCHED
    bank.issued(account, "7K3M9QZXABCD")
    assert match_all(website, again=True) == 0
    line.refresh_from_db()
    assert line.state == LineState.PROPOSED


def test_nobody_says_that_a_transfer_arrived_but_the_bank(invoice: Invoice) -> None:
    for by in (making.owner(invoice), making.staff(invoice.website), None):
        with pytest.raises(NotArrived):
            payments.pay(invoice, invoice.due, method="bank_transfer", by=by)
    assert Payment.objects.of(invoice.website).count() == 0


def test_a_key_that_looks_like_a_line_s_pays_nothing(website: Website, invoice: Invoice) -> None:
    line = bank.one(website, "100.00", "x")
    with pytest.raises(NotArrived):
        payments.pay(invoice, eur("100"), method="bank_transfer", by=None, key=line.key)


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ("Ada Lovelace", "LOVELACE ADA", True),
        ("Müller & Söhne GmbH", "MUELLER UND SOEHNE", True),
        ("Müller & Söhne GmbH", "MULLER SOHNE", True),
        ("İsmail Şahin", "ISMAIL SAHIN", True),
        ("Ada Lovelace", "Ada Byron", False),
        ("Acme Ltd", "Emca Ltd", False),
        ("", "", False),
        ("GmbH", "GmbH", True),
    ],
)
def test_names_that_are_alike(one: str, other: str, are: bool) -> None:
    assert alike(one, other) == are == alike(other, one)


def test_money_is_named_in_full(website: Website) -> None:
    assert bank.one(website, "5.00", "a").money == Money(D("5.00"), "EUR")
