from __future__ import annotations

import re
from collections.abc import Sequence
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from tallystick.billing import documents, email_writing, mailing, paylinks
from tallystick.billing.emails import (
    INVOICE_GENERATED,
    PAYMENT_OVERDUE,
    PAYMENT_RECEIVED,
    Email,
    StillWaiting,
    bounced,
)
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import mark_paid, receive_external
from tallystick.billing.tests.making import D, owner
from tallystick.events.models import Event
from tallystick.kit import clock
from tallystick.queue import Budget
from tallystick.queue.drain import RowDrain
from tallystick.queue.leases import LeaseLost

pytestmark = pytest.mark.django_db
_refusal: list[Exception] = []


@pytest.fixture(autouse=True)
def backend(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = EmailBackend.send_messages

    def send(backend: EmailBackend, messages: Sequence[EmailMessage]) -> int:
        if _refusal:
            raise _refusal[0]
        return deliver(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send)
    settings.INVOICE_EMAIL_ATTACH_PDF = False
    _refusal.clear()


def work() -> None:
    RowDrain(Email, mailing.deliver, batch=20)(Budget())


def the_email(invoice: Invoice, key: str = INVOICE_GENERATED) -> Email:
    return Email.objects.get(invoice=invoice, key=key)


def kinds(invoice: Invoice) -> list[str]:
    return list(Event.objects.of(invoice.website).order_by("id").values_list("kind", flat=True))


def test_an_issued_invoice_is_mailed_with_its_link(invoice: Invoice) -> None:
    work()
    (message,) = mail.outbox
    assert message.subject == f"Invoice #{invoice.reference_id} - Payment Due"
    assert message.to == [invoice.client.email]
    assert message.from_email == f"{invoice.website.name} <{invoice.website.sender_email}>"
    assert isinstance(message, EmailMultiAlternatives)
    html, _ = message.alternatives[0]
    for text in (str(message.body), str(html)):
        assert invoice.url in text
        assert "119.00" in text
    invoice.refresh_from_db()
    assert (invoice.email_sent, invoice.email_sent_count) == (True, 1)
    assert invoice.email_sent_at is not None
    email = the_email(invoice)
    assert (email.state, email.outcome, email.subject) == ("done", "sent", message.subject)
    assert message.extra_headers["Message-ID"] == email.message_id
    assert kinds(invoice)[-2:] == ["invoice.sent", "email.sent"]


def test_the_pdf_is_attached_where_wanted(
    invoice: Invoice, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INVOICE_EMAIL_ATTACH_PDF = True
    monkeypatch.setattr(documents, "invoice_pdf", lambda invoice: b"%PDF-1")
    monkeypatch.setattr(documents, "receipt_pdf", lambda payment: b"%PDF-2")
    mark_paid(invoice, by=None)
    work()
    attached = [(a.filename, a.content, a.mimetype) for m in mail.outbox for a in m.attachments]
    assert attached == [
        (f"{invoice.number}.pdf", b"%PDF-1", "application/pdf"),
        (f"{invoice.number}-receipt.pdf", b"%PDF-2", "application/pdf"),
    ]


def test_a_receipt_names_what_was_allocated(invoice: Invoice) -> None:
    work()
    receive_external(
        invoice, amount=D(150), reference="r", date=invoice.website.today(), method="xero"
    )
    work()
    assert "119.00" in str(mail.outbox[-1].body)
    assert the_email(invoice, PAYMENT_RECEIVED).outcome == "sent"
    invoice.refresh_from_db()
    assert invoice.email_sent_count == 1


def test_money_for_a_paid_invoice_is_told_of_as_credit(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)
    work()
    today = invoice.website.today()
    receive_external(invoice, amount=D(40), reference="r", date=today, method="xero")
    before = len(mail.outbox)
    work()
    (letter,) = mail.outbox[before:]
    assert "40.00 EUR came beyond what was due" in str(letter.body)
    assert isinstance(letter, EmailMultiAlternatives)
    assert "40.00 EUR came beyond what was due" in str(letter.alternatives[0][0])
    assert not any("came beyond" in str(earlier.body) for earlier in mail.outbox[:before])


def test_what_came_beyond_what_was_due_is_told_of(invoice: Invoice) -> None:
    today = invoice.website.today()
    receive_external(invoice, amount=D(150), reference="r", date=today, method="xero")
    work()
    assert "31.00 EUR came beyond what was due" in str(mail.outbox[-1].body)


def test_sending_again_counts(invoice: Invoice) -> None:
    invoice.send_email()
    work()
    invoice.refresh_from_db()
    assert (invoice.email_sent_count, len(mail.outbox)) == (2, 2)


def test_the_whitelist_holds(invoice: Invoice, settings: Settings) -> None:
    settings.BILLING_EMAIL_WHITELIST_REGEX = re.compile(r"@ours\.example$")
    work()
    email = the_email(invoice)
    assert (email.state, email.outcome, mail.outbox) == ("done", "suppressed", [])
    assert "BILLING_EMAIL_WHITELIST_REGEX" in email.note
    invoice.refresh_from_db()
    assert not invoice.email_sent


def test_a_template_that_fails_undoes_nothing_else(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str, context: object = None) -> str:
        raise ValueError("unclosed block")

    with monkeypatch.context() as patch:
        patch.setattr(email_writing, "get_template", broken)
        patch.setattr(email_writing, "render_ours", broken)
        work()
    email = the_email(invoice)
    assert (email.state, email.attempts) == ("due", 1)
    assert email.last_error == (
        "The template billing/email/payment.invoice_generated.subject.txt failed: "
        "ValueError: unclosed block"
    )
    invoice.refresh_from_db()
    assert (invoice.status, invoice.email_sent) == ("open", False)
    assert invoice.email_error == email.last_error
    Email.objects.update(due_at=email.created_at)
    work()
    assert len(mail.outbox) == 1
    assert Invoice.objects.everywhere().get(pk=invoice.pk).email_error == ""


def test_a_mail_server_that_is_down_is_tried_again(invoice: Invoice) -> None:
    _refusal.append(SMTPServerDisconnected("gone"))
    work()
    assert (the_email(invoice).state, kinds(invoice)[-1]) == ("due", "invoice.issued")
    Email.objects.update(attempts=Email.max_attempts - 1, due_at=the_email(invoice).created_at)
    work()
    assert (the_email(invoice).state, kinds(invoice)[-1]) == ("dead", "email.failed")
    _refusal.clear()
    the_email(invoice).revive()
    work()
    assert the_email(invoice).outcome == "sent"


@pytest.mark.parametrize(("code", "state", "outcome"), [(550, "dead", "bounced"), (450, "due", "")])
def test_a_refused_address_is_final_when_the_server_says_so(
    invoice: Invoice, code: int, state: str, outcome: str
) -> None:
    _refusal.append(SMTPRecipientsRefused({invoice.client.email: (code, b"no")}))
    work()
    email = the_email(invoice)
    assert (email.state, email.outcome) == (state, outcome)
    assert f"{code} no" in email.tries.get().words


def test_a_client_without_an_address_is_said_so(invoice: Invoice) -> None:
    person = invoice.client.user
    assert person is not None
    person.email = ""
    person.save()
    Email.objects.update(to="")
    work()
    assert the_email(invoice).state == "dead"
    assert "no e-mail address" in the_email(invoice).last_error


def test_a_host_may_route_a_kind_elsewhere(invoice: Invoice) -> None:
    taken: list[Email] = []

    def take(email: Email, **_: object) -> bool:
        taken.append(email)
        return email.key == INVOICE_GENERATED

    mailing.sending.connect(take)
    try:
        work()
    finally:
        mailing.sending.disconnect(take)
    assert (the_email(invoice).outcome, mail.outbox) == ("routed", [])
    assert taken[0].invoice == invoice


def test_names_do_not_inject_headers(invoice: Invoice) -> None:
    type(invoice.website).objects.filter(pk=invoice.website_id).update(
        sender_name="Shop\r\nBcc: all@example.org"
    )
    work()
    assert mail.outbox[0].from_email.startswith('"Shop Bcc: all@example.org"')


def test_it_is_sent_once_by_two_workers(invoice: Invoice) -> None:
    first = Email.claim(1, "a", 60)
    assert Email.claim(1, "b", 60) == []
    mailing.deliver(first[0])
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("address", ["ada", "a@b.example, c@d.example", "a@b.example\nBcc: x@y.z"])
def test_what_is_no_address_is_not_written_to(invoice: Invoice, address: str) -> None:
    type(owner(invoice)).objects.filter(pk=owner(invoice).pk).update(email=address)
    work()
    email = the_email(invoice)
    assert (email.state, email.outcome, mail.outbox) == ("dead", "failed", [])
    assert "address is none" in email.last_error


def test_each_try_is_kept_without_the_address(invoice: Invoice) -> None:
    address = invoice.client.email
    _refusal.append(SMTPRecipientsRefused({address: (451, f"{address}: later".encode())}))
    work()
    _refusal.clear()
    Email.objects.update(due_at=the_email(invoice).created_at)
    work()
    tries = [(each.result, each.words) for each in the_email(invoice).tries.all()]
    assert tries == [("later", "451 [address]: later"), ("sent", "")]


def test_a_void_invoice_is_not_mailed(invoice: Invoice) -> None:
    invoice.void(reason="twice")
    work()
    email = the_email(invoice)
    assert (email.outcome, email.note, mail.outbox) == ("suppressed", "The invoice is void.", [])


def test_a_revoked_link_is_not_mailed(invoice: Invoice) -> None:
    paylinks.revoke(invoice)
    work()
    email = the_email(invoice)
    assert (email.outcome, email.note) == ("suppressed", "The payment link is revoked.")
    assert mail.outbox == []


def test_an_expired_link_is_not_mailed(invoice: Invoice) -> None:
    Invoice.objects.everywhere().update(token_expires_at=clock.now())
    work()
    email = the_email(invoice)
    assert (email.outcome, email.note) == ("suppressed", "The payment link has expired.")
    assert mail.outbox == []


def test_the_whitelist_stands_before_other_routes(invoice: Invoice, settings: Settings) -> None:
    settings.BILLING_EMAIL_WHITELIST_REGEX = re.compile(r"@ours\.example$")
    taken: list[Email] = []

    def take(email: Email, **_: object) -> bool:
        taken.append(email)
        return True

    mailing.sending.connect(take)
    try:
        work()
    finally:
        mailing.sending.disconnect(take)
    assert (taken, the_email(invoice).outcome) == ([], "suppressed")


class TestSendingAgain:
    def test_what_was_sent_goes_out_as_another_mail(self, invoice: Invoice) -> None:
        work()
        again = the_email(invoice).resend()
        work()
        assert len(mail.outbox) == 2
        assert again.message_id != Email.objects.order_by("id")[0].message_id

    def test_what_failed_goes_out_as_the_same(self, invoice: Invoice) -> None:
        _refusal.append(SMTPRecipientsRefused({invoice.client.email: (550, b"no")}))
        work()
        _refusal.clear()
        failed = the_email(invoice)
        assert failed.resend() == failed
        work()
        assert (the_email(invoice).outcome, len(mail.outbox)) == ("sent", 1)

    def test_what_waits_is_left_alone(self, invoice: Invoice) -> None:
        with pytest.raises(StillWaiting):
            the_email(invoice).resend()


class TestBounces:
    def test_are_told_once_and_can_be_heard(self, invoice: Invoice) -> None:
        work()
        heard: list[Email] = []

        def hear(email: Email, **_: object) -> None:
            heard.append(email)

        bounced.connect(hear)
        try:
            found = Email.objects.by_message_id(the_email(invoice).message_id)
            assert found is not None
            found.bounced("550 5.1.1 no such user")
            found.bounced("again")
        finally:
            bounced.disconnect(hear)
        email = the_email(invoice)
        assert (email.state, email.outcome, heard) == ("dead", "bounced", [email])
        assert invoice.email_error == "550 5.1.1 no such user"
        assert kinds(invoice)[-1] == "email.bounced"
        assert [each.result for each in email.tries.all()] == ["sent", "bounced"]

    def test_a_worker_that_is_about_to_send_it_again_changes_nothing(
        self, invoice: Invoice
    ) -> None:
        (held,) = Email.claim(1, "a", 60)
        the_email(invoice).bounced("no such user")
        with pytest.raises(LeaseLost):
            held.complete(outcome="sent", sent_at=held.created_at)
        assert the_email(invoice).outcome == "bounced"

    @pytest.mark.parametrize("message_id", ["", "<x@y>", "<" + "0" * 32 + "@shop.example>"])
    def test_of_mails_that_are_not_ours_are_nobodys(
        self, invoice: Invoice, message_id: str
    ) -> None:
        assert Email.objects.by_message_id(message_id) is None


def test_a_stage_is_queued_once(invoice: Invoice) -> None:
    first = Email.queue(PAYMENT_OVERDUE, invoice, stage="day+7")
    assert Email.queue(PAYMENT_OVERDUE, invoice, stage="day+7") == first
    assert Email.queue(PAYMENT_OVERDUE, invoice, stage="day+14") != first
