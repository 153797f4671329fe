"""The log of mails and the editor of their words, as staff use them."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing.email_kinds import INVOICE_GENERATED as KEY
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making, samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    user = get_user_model().objects.create_user(
        "desk", email="desk@northwind.example", password=samples.PASSWORD
    )
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


@pytest.fixture
def stranger(client: Client, website: Website) -> Client:
    other = making.website()
    client.force_login(making.staff(other))
    return client


@pytest.fixture
def email(invoice: Invoice) -> Email:
    return Email.objects.get(invoice=invoice)


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def dead(email: Email, outcome: str = "failed", reason: str = "no such server") -> Email:
    (held,) = Email.claim(1, "test", 60)
    held.bury(reason, outcome=outcome)
    email.refresh_from_db()
    return email


class TestTheLog:
    def test_says_what_has_not_arrived(self, staff: Client, email: Email) -> None:
        assert "Every mail has arrived or is on its way" in page(staff, "/staff/mail/")
        dead(email)
        html = page(staff, "/staff/mail/")
        assert "1 mail has not arrived" in html
        assert "no such server" in html
        assert email.to in html

    @pytest.mark.parametrize(
        ("query", "there"),
        [
            ("status=failed", True),
            ("status=sent", False),
            ("status=nonsense", True),
            ("kind=payment.invoice_generated", True),
            ("kind=payment.received", False),
            ("q=ismail@sahin.example", True),
            ("q=nobody@sahin.example", False),
            ("q=%00", True),
        ],
    )
    def test_is_narrowed(self, staff: Client, email: Email, query: str, there: bool) -> None:
        dead(email)
        assert (str(email.uid) in page(staff, f"/staff/mail/?{query}")) is there

    def test_finds_the_mails_of_an_invoice(
        self, staff: Client, email: Email, invoice: Invoice
    ) -> None:
        for text in (invoice.number, invoice.reference_id.lower()):
            assert str(email.uid) in page(staff, f"/staff/mail/?q={text}")
        assert str(email.uid) not in page(staff, "/staff/mail/?q=INV-1999-00001")

    def test_pages(self, staff: Client, email: Email, invoice: Invoice) -> None:
        Email.objects.bulk_create([Email.about(KEY, invoice) for _ in range(60)])
        first = page(staff, "/staff/mail/")
        after = re.search(r"after=([0-9a-f-]{36})", first)
        assert after is not None
        assert str(email.uid) not in first
        assert str(email.uid) in page(staff, f"/staff/mail/?after={after[1]}")

    def test_takes_as_many_queries_however_much_is_in_it(
        self,
        staff: Client,
        email: Email,
        account: Account,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(5):
            samples.invoice(account)
        with django_assert_max_num_queries(10):
            page(staff, "/staff/mail/")

    def test_shows_each_try(self, staff: Client, email: Email) -> None:
        email.bounced("550 5.1.1 no such user")
        html = page(staff, f"/staff/mail/{email.uid}/")
        assert "It came back" in html
        assert "550 5.1.1 no such user" in html


class TestSendingAgain:
    def test_those_that_were_picked(self, staff: Client, email: Email) -> None:
        dead(email)
        answer = staff.post("/staff/mail/again/", {"uid": str(email.uid), "act": "again"})
        assert answer.status_code == 303
        email.refresh_from_db()
        assert (email.state, email.outcome, email.last_error) == ("due", "", "")

    def test_all_that_failed(self, staff: Client, email: Email) -> None:
        dead(email)
        html = staff.post("/staff/mail/again/", {"act": "failed"}, follow=True).content.decode()
        assert "1 mail is on its way again." in html
        email.refresh_from_db()
        assert email.state == "due"

    def test_what_still_waits_is_left_and_said(self, staff: Client, email: Email) -> None:
        answer = staff.post("/staff/mail/again/", {"uid": str(email.uid)}, follow=True)
        assert "goes out by itself" in answer.content.decode()
        assert Email.objects.count() == 1

    def test_nothing_picked(self, staff: Client) -> None:
        answer = staff.post("/staff/mail/again/", {}, follow=True)
        assert "No mail was selected." in answer.content.decode()

    def test_goes_back_to_our_own_pages_only(self, staff: Client, email: Email) -> None:
        for back in ("https://evil.example/", "//evil.example/"):
            answer = staff.post("/staff/mail/again/", {"act": "failed", "back": back})
            assert answer["Location"] == "/staff/mail/"


class TestWords:
    def place(self, website: Website, end: str = "") -> str:
        return f"/staff/mail/templates/{website.uid}/{KEY}/{end}"

    def test_are_listed(self, staff: Client, website: Website) -> None:
        assert "All mails use the standard words" in page(staff, "/staff/mail/templates/")
        EmailTemplate.write(website, KEY, "de", subject="Rechnung", body="", by=None)
        html = page(staff, "/staff/mail/templates/")
        assert "1 mail uses words of your own" in html
        assert "Deutsch" in html

    def test_are_saved_for_a_language(self, staff: Client, website: Website) -> None:
        form = {"subject": "Rechnung {{ reference_id }}", "body": "Guten Tag\r\n\r\nBitte"}
        answer = staff.post(self.place(website, "?language=de"), form)
        assert answer.status_code == 303, answer.content.decode()
        (saved,) = EmailTemplate.objects.of(website)
        assert (saved.language, saved.subject, saved.body) == (
            "de",
            "Rechnung {{ reference_id }}",
            "Guten Tag\n\nBitte",
        )
        assert saved.edited_by is not None
        assert "Rechnung {{ reference_id }}" in page(staff, self.place(website, "?language=de"))

    def test_that_do_not_work_are_refused_beside_their_field(
        self, staff: Client, website: Website
    ) -> None:
        form = {"subject": "", "body": "Hello\n{{ client_nam }}"}
        answer = staff.post(self.place(website), form)
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "Line 2: There is no value named client_nam. Did you mean client_name?" in html
        assert "{{ client_nam }}" in html
        assert not EmailTemplate.objects.of(website).exists()

    def test_are_tried_before_they_are_saved(self, staff: Client, website: Website) -> None:
        form = {"subject": "", "body": "Hello <b>{{ client_name }}</b>", "case": "a paid invoice"}
        answer = staff.post(self.place(website, "preview/"), form)
        html = answer.content.decode()
        assert "Hello &lt;b&gt;İsmail Şahin&lt;/b&gt;" in html
        policy = answer["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        text = staff.post(self.place(website, "preview/"), form | {"text": "1"})
        assert text["Content-Type"].startswith("text/plain")
        assert not EmailTemplate.objects.of(website).exists()

    def test_the_page_itself_allows_its_frame_and_no_more(
        self, staff: Client, website: Website
    ) -> None:
        policy = staff.get(self.place(website))["Content-Security-Policy"]
        assert "frame-src 'self'" in policy
        assert "unsafe" not in policy

    def test_a_test_goes_to_who_asks(self, staff: Client, website: Website) -> None:
        form = {"subject": "Hi {{ amount }}", "body": "", "act": "test"}
        answer = staff.post(self.place(website), form)
        assert "desk@northwind.example" in answer.content.decode()
        (message,) = mail.outbox
        assert message.to == ["desk@northwind.example"]
        assert message.subject == "[Test] Hi 5,255.73"
        assert not EmailTemplate.objects.of(website).exists()

    def test_tests_are_held_back_as_mails_are(
        self, staff: Client, website: Website, settings: Settings
    ) -> None:
        settings.BILLING_EMAIL_WHITELIST_REGEX = re.compile(r"@ours\.example$")
        answer = staff.post(self.place(website), {"subject": "", "body": "", "act": "test"})
        assert "BILLING_EMAIL_WHITELIST_REGEX" in answer.content.decode()
        assert mail.outbox == []

    def test_tests_are_not_without_end(self, staff: Client, website: Website) -> None:
        for _ in range(20):
            staff.post(self.place(website), {"act": "test"})
        answer = staff.post(self.place(website), {"act": "test"})
        assert "wait an hour" in answer.content.decode()
        assert len(mail.outbox) == 20

    def test_are_taken_back_and_can_be_looked_up(self, staff: Client, website: Website) -> None:
        old = EmailTemplate.write(website, KEY, "", subject="Old one", body="", by=None)
        staff.post(self.place(website, "reset/"))
        assert EmailTemplate.objects.best(website, KEY, "") is None
        assert 'value="Old one"' not in page(staff, self.place(website))
        assert 'value="Old one"' in page(staff, self.place(website, f"?version={old.uid}"))


class TestWhoGetsIn:
    @pytest.mark.parametrize("end", ["", "preview/"])
    def test_not_to_another_websites_words(
        self, stranger: Client, website: Website, end: str
    ) -> None:
        path = f"/staff/mail/templates/{website.uid}/{KEY}/{end}"
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, {"subject": "x"}).status_code == 404

    def test_not_to_another_websites_mails(self, stranger: Client, email: Email) -> None:
        assert stranger.get(f"/staff/mail/{email.uid}/").status_code == 404
        assert str(email.uid) not in page(stranger, "/staff/mail/")
        answer = stranger.post("/staff/mail/again/", {"uid": str(email.uid)})
        assert answer.status_code == 404
        reset = f"/staff/mail/templates/{email.website.uid}/{KEY}/reset/"
        assert stranger.post(reset).status_code == 404

    def test_not_for_clients(self, client: Client, email: Email, account: Account) -> None:
        assert account.user is not None
        client.force_login(account.user)
        for path in ("", f"{email.uid}/", "templates/"):
            assert client.get(f"/staff/mail/{path}").status_code == 403

    @pytest.mark.parametrize("key", ["payment.nothing", "payment.received%0a"])
    def test_kinds_that_there_are_not(self, staff: Client, website: Website, key: str) -> None:
        assert staff.get(f"/staff/mail/templates/{website.uid}/{key}/").status_code == 404
        wrong = f"/staff/mail/templates/{website.uid}/{KEY}/?language=xx-nope"
        assert staff.get(wrong).status_code == 404

    def test_nothing_is_done_by_looking(self, staff: Client, website: Website) -> None:
        assert staff.get("/staff/mail/again/").status_code == 405
        reset = f"/staff/mail/templates/{website.uid}/{KEY}/reset/"
        assert staff.get(reset).status_code == 405
