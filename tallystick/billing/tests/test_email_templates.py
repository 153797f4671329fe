"""A website's own words: which are used, that they are kept, and that nothing is lost with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from pytest_django import Settings

from tallystick.accounts.models import Website
from tallystick.billing import mailing
from tallystick.billing.email_kinds import INVOICE_GENERATED as KEY
from tallystick.billing.email_samples import sample
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.email_values import values_of
from tallystick.billing.email_wording import BadWording
from tallystick.billing.emails import Email, EmailAttempt
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making
from tallystick.events.models import Event
from tallystick.queue import Budget
from tallystick.queue.drain import RowDrain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings: Settings) -> None:
    settings.INVOICE_EMAIL_ATTACH_PDF = False


def sent() -> tuple[str, str, str]:
    """Subject, text and HTML of the newest mail."""
    RowDrain(Email, mailing.deliver, batch=20)(Budget())
    message = mail.outbox[-1]
    assert isinstance(message, EmailMultiAlternatives)
    return str(message.subject), str(message.body), str(message.alternatives[0][0])


def write(website: Website, subject: str = "", body: str = "", language: str = "") -> EmailTemplate:
    return EmailTemplate.write(website, KEY, language, subject=subject, body=body, by=None)


def project(settings: Settings, folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / "billing" / "email" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(folder)]}]


def test_samples_have_what_mails_have(invoice: Invoice) -> None:
    email = Email.objects.get(invoice=invoice)
    assert {
        name: set(value) if isinstance(value, dict) else None
        for name, value in values_of(email).items()
    } == {name: set(value) if isinstance(value, dict) else None for name, value in sample().items()}


def test_all_that_a_template_gets_is_text(invoice: Invoice) -> None:
    for value in values_of(Email.objects.get(invoice=invoice)).values():
        parts = value.values() if isinstance(value, dict) else [value]
        assert all(type(part) is str for part in parts)


def test_the_websites_words_are_said_in_our_frame(invoice: Invoice) -> None:
    write(invoice.website, "{{ website_name }}: {{ amount }}", "Hello **{{ client_name }}** <x>")
    subject, text, html = sent()
    assert subject == f"{invoice.website.name}: 119.00"
    assert text.startswith(f"Hello {invoice.client.name} <x>")
    assert f"Hello <b>{invoice.client.name}</b> &lt;x&gt;" in html
    assert invoice.url in text
    assert invoice.url in html


def test_those_of_the_language_come_first(invoice: Invoice) -> None:
    invoice.client.language = "de"
    invoice.client.save()
    write(invoice.website, "any")
    write(invoice.website, "deutsch", language="de")
    write(invoice.website, "français", language="fr")
    assert sent()[0] == "deutsch"


def test_a_subject_alone_leaves_our_words(invoice: Invoice) -> None:
    write(invoice.website, "Yours")
    subject, text, _ = sent()
    assert subject == "Yours"
    assert "here is your invoice" in text


def test_another_websites_words_are_not_used(invoice: Invoice) -> None:
    write(making.website(), "Theirs")
    assert sent()[0].startswith("Invoice #")


def test_each_writing_is_kept_and_reset_goes_back(invoice: Invoice) -> None:
    website = invoice.website
    first = write(website, "one")
    second = write(website, "two")
    assert list(EmailTemplate.objects.versions(website, KEY, "")) == [second, first]
    assert EmailTemplate.objects.best(website, KEY, "de") == second
    EmailTemplate.reset(website, KEY, "")
    assert EmailTemplate.objects.best(website, KEY, "de") is None
    assert EmailTemplate.objects.of(website).count() == 2
    kinds = Event.objects.of(website).filter(kind__startswith="email_template.")
    assert list(kinds.order_by("id").values_list("kind", flat=True)) == [
        "email_template.written",
        "email_template.written",
        "email_template.reset",
    ]


def test_what_does_not_work_is_not_saved(invoice: Invoice) -> None:
    write(invoice.website, "fine")
    with pytest.raises(BadWording):
        write(invoice.website, "{{ secret_key }}")
    assert sent()[0] == "fine"


def test_words_that_stopped_working_give_way_to_ours(invoice: Invoice) -> None:
    EmailTemplate.objects.create(
        website=invoice.website, key=KEY, subject="{{ gone }}", body="{% if %}"
    )
    subject, text, _ = sent()
    assert subject == f"Invoice #{invoice.reference_id} - Payment Due"
    assert "here is your invoice" in text
    email = Email.objects.get(invoice=invoice)
    assert email.outcome == "sent"
    assert "no value named gone" in email.tries.get().words
    assert invoice.email_error == ""


class TestFilesOfAProject:
    def test_come_before_ours(self, invoice: Invoice, settings: Settings, tmp_path: Path) -> None:
        project(
            settings,
            tmp_path,
            **{
                f"{KEY}.subject.txt": "Project {{ reference_id }}",
                f"{KEY}.txt": "Pay {{ amount }}",
            },
        )
        subject, text, html = sent()
        assert subject == f"Project {invoice.reference_id}"
        assert text == "Pay 119.00\n"
        assert "here is your invoice" in html

    def test_may_be_a_websites_own(
        self, invoice: Invoice, settings: Settings, tmp_path: Path
    ) -> None:
        domain = invoice.website.domain
        project(
            settings,
            tmp_path,
            **{f"{KEY}.subject.txt": "all", f"{domain}__{KEY}.subject.txt": "this one"},
        )
        assert sent()[0] == "this one"

    def test_come_after_a_websites_words(
        self, invoice: Invoice, settings: Settings, tmp_path: Path
    ) -> None:
        project(settings, tmp_path, **{f"{KEY}.subject.txt": "all", f"{KEY}.html": "project"})
        write(invoice.website, "", "Our words")
        subject, _, html = sent()
        assert subject == "all"
        assert "Our words" in html

    @pytest.mark.parametrize("text", ["{% if %}", "{{ amount|nope }}", "{% include 'gone.txt' %}"])
    def test_that_fail_give_way_to_ours(
        self, invoice: Invoice, settings: Settings, tmp_path: Path, text: str
    ) -> None:
        project(settings, tmp_path, **{f"{KEY}.txt": text})
        _, body, _ = sent()
        assert "here is your invoice" in body
        assert f"{KEY}.txt failed" in Email.objects.get(invoice=invoice).tries.get().words


@pytest.mark.parametrize("what", ["words", "try"])
def test_what_was_said_is_not_changed(invoice: Invoice, what: str) -> None:
    template = write(invoice.website, "fine")
    email = Email.objects.get(invoice=invoice)
    EmailAttempt.note(email, "sent")
    rows, change = {
        "words": (EmailTemplate.objects.of(invoice.website), {"subject": "other"}),
        "try": (email.tries.all(), {"words": "other"}),
    }[what]
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**change)
    template.refresh_from_db()
    assert template.subject == "fine"
