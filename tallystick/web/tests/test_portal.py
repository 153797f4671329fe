"""The portal, as clients meet it: their own, all of it, and nothing of anybody else's."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

import pytest
from babel import Locale
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tallystick.accounts.models import Account, ApiKey, Organisation, Website
from tallystick.billing import paylinks, payments
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import samples
from tallystick.billing.wallets import Wallet
from tallystick.events.models import Event
from tallystick.kit import spelling
from tallystick.kit.money import Money
from tallystick.people.models import User

pytestmark = pytest.mark.django_db

PAGES = ("", "invoices/", "payments/", "credit-notes/", "wallet/", "profile/", "statement.csv")


def user_of(account: Account) -> User:
    assert account.user is not None
    return account.user


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def page_of(invoice: Invoice) -> str:
    return f"/portal/invoices/{invoice.uid}/"


def hidden(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def signed_in(client: Client, account: Account) -> Client:
    client.force_login(user_of(account))
    return client


@pytest.fixture
def stranger(website: Website) -> Account:
    return samples.client(website, "other")


class TestDoors:
    @pytest.mark.parametrize("page", PAGES)
    def test_strangers_sign_in_first(self, client: Client, page: str) -> None:
        answer = client.get(f"/portal/{page}")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=")

    @pytest.mark.parametrize("page", PAGES)
    def test_nothing_is_kept_by_caches(self, signed_in: Client, page: str) -> None:
        assert "no-store" in signed_in.get(f"/portal/{page}")["Cache-Control"]

    @pytest.mark.parametrize("page", PAGES)
    def test_pages_bring_nothing_inline(
        self, signed_in: Client, account: Account, page: str
    ) -> None:
        samples.fill_wallet(account, "100.00")
        samples.invoice(account)
        text = text_of(signed_in, f"/portal/{page}")
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", text)

    def test_what_is_others_is_not_there(
        self, signed_in: Client, stranger: Account, website: Website
    ) -> None:
        theirs = samples.invoice(stranger, title="Not yours")
        payment = payments.mark_paid(theirs, by=None)
        note = issue_credit_note(theirs, reason="Gift", by=None, amount=Money.parse("10", "EUR"))
        key, _text = ApiKey.issue(
            website=website, user=user_of(stranger), name="theirs", scopes=["read"]
        )
        for path in (
            page_of(theirs),
            f"{page_of(theirs)}pdf/",
            f"{page_of(theirs)}transfer.svg",
            f"/portal/payments/{payment.uid}/receipt/pdf/",
            f"/portal/credit-notes/{note.uid}/pdf/",
            f"/portal/pay/?invoice={theirs.uid}",
            f"/portal/wallet/?wallet={stranger.uid}-EUR",
        ):
            assert signed_in.get(path).status_code == 404, path
        assert signed_in.post(page_of(theirs), {"method": "wallet"}).status_code == 404
        assert signed_in.post("/portal/pay/", {"invoice": str(theirs.uid)}).status_code == 404
        assert signed_in.post(f"/portal/profile/keys/{key.uid}/revoke/").status_code == 404
        for page in PAGES:
            text = text_of(signed_in, f"/portal/{page}")
            assert "Not yours" not in text
            assert theirs.number not in text
            assert note.number not in text

    def test_drafts_are_not_there(self, signed_in: Client, account: Account) -> None:
        draft = Invoice.objects.draft(
            account=account, lines=samples.lines(account.website), title="Sketch"
        )
        assert signed_in.get(page_of(draft)).status_code == 404
        assert "Sketch" not in text_of(signed_in, "/portal/invoices/")

    def test_members_see_what_their_organisation_is_billed(
        self, signed_in: Client, account: Account, website: Website
    ) -> None:
        organisation = Organisation.objects.of(website).create(
            website=website, name="Harbour Co-op"
        )
        invoice = samples.invoice(Account.open_for_organisation(organisation), title="Theirs")
        assert signed_in.get(page_of(invoice)).status_code == 404
        organisation.members.add(user_of(account))
        assert "Theirs" in text_of(signed_in, page_of(invoice))
        assert "Harbour Co-op" in text_of(signed_in, "/portal/profile/")

    def test_made_up_ids(self, signed_in: Client) -> None:
        assert signed_in.get(f"/portal/invoices/{uuid.uuid4()}/").status_code == 404
        assert signed_in.get("/portal/pay/?invoice=x").status_code == 404
        assert signed_in.get("/portal/wallet/?wallet=x").status_code == 404


class TestLeadingSentence:
    def test_nothing(self, signed_in: Client) -> None:
        assert "You owe nothing." in text_of(signed_in, "/portal/")

    def test_one(self, signed_in: Client, account: Account) -> None:
        samples.invoice(account)
        text = text_of(signed_in, "/portal/")
        assert re.search(r"You owe 5,255\.73\xa0EUR, due on", text)

    def test_several(self, signed_in: Client, account: Account) -> None:
        samples.invoice(account)
        samples.invoice(account, due_in=30)
        text = text_of(signed_in, "/portal/")
        assert re.search(r"You owe 10,511\.46\xa0EUR; the next is due on", text)

    def test_overdue(self, signed_in: Client, account: Account) -> None:
        samples.invoice(account, due_in=-3)
        assert "; 1 invoice is overdue." in text_of(signed_in, "/portal/")

    def test_counts_what_was_paid_and_credited(self, signed_in: Client, account: Account) -> None:
        invoice = samples.invoice(account)
        payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        issue_credit_note(invoice, reason="Late", by=None, amount=Money.parse("1000", "EUR"))
        assert "You owe 4,000.00\xa0EUR" in text_of(signed_in, "/portal/")


class TestInvoices:
    def test_filters(self, signed_in: Client, account: Account) -> None:
        paid = samples.invoice(account)
        payments.mark_paid(paid, by=None)
        owed = samples.invoice(account)
        for state, shown, hidden_ in (("open", owed, paid), ("paid", paid, owed)):
            text = text_of(signed_in, f"/portal/invoices/?state={state}")
            assert shown.number in text
            assert hidden_.number not in text

    def test_pages(self, signed_in: Client, account: Account) -> None:
        invoices = [samples.invoice(account) for _ in range(52)]
        first = text_of(signed_in, "/portal/invoices/")
        assert invoices[51].number in first
        assert invoices[0].number not in first
        found = re.search(r'rel="next" href="([^"]+)"', first)
        assert found
        second = text_of(signed_in, f"/portal/invoices/{found[1]}".replace("&amp;", "&"))
        assert invoices[0].number in second
        assert invoices[51].number not in second

    def test_one_tells_its_story(self, signed_in: Client, account: Account) -> None:
        invoice = samples.invoice(account)
        payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        note = issue_credit_note(invoice, reason="Late", by=None, amount=Money.parse("1000", "EUR"))
        payments.mark_paid(invoice, by=None)
        text = text_of(signed_in, page_of(invoice))
        for words in ("Issued", "Payment received", note.number, "Paid in full", "Paid on"):
            assert words in text
        receipts = re.findall(r'/portal/payments/[^"]+/receipt/pdf/', text)
        assert len(receipts) == 2
        for path in [*receipts, f"/portal/credit-notes/{note.uid}/pdf/", f"{page_of(invoice)}pdf/"]:
            answer = signed_in.get(path)
            assert answer["Content-Type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF")

    def test_a_withdrawn_link_does_not_matter_here(
        self, signed_in: Client, account: Account
    ) -> None:
        samples.fill_wallet(account, "6000.00")
        invoice = samples.invoice(account)
        paylinks.revoke(invoice)
        form = {
            name: values[0] for name, values in hidden(text_of(signed_in, page_of(invoice))).items()
        }
        answer = signed_in.post(page_of(invoice), form | {"method": "wallet"})
        assert (answer.status_code, answer["Location"]) == (303, page_of(invoice))
        invoice.refresh_from_db()
        assert invoice.is_paid
        assert "Paid on" in text_of(signed_in, page_of(invoice))

    def test_a_void_one_says_so(self, signed_in: Client, account: Account) -> None:
        invoice = samples.invoice(account)
        invoice.void(reason="Twice")
        text = text_of(signed_in, page_of(invoice))
        assert "you owe nothing for it" in text
        assert 'name="method"' not in text


class TestPayingSeveral:
    @pytest.fixture
    def two(self, account: Account) -> list[Invoice]:
        samples.fill_wallet(account, "11000.00")
        return [samples.invoice(account), samples.invoice(account)]

    def test_is_offered_where_there_is_money(
        self, signed_in: Client, account: Account, two: list[Invoice]
    ) -> None:
        assert "Pay the selected from the wallet" in text_of(signed_in, "/portal/")

    def test_shows_the_sum_first_then_pays_all(
        self, signed_in: Client, account: Account, two: list[Invoice]
    ) -> None:
        path = "/portal/pay/?" + "&".join(f"invoice={invoice.uid}" for invoice in two)
        text = text_of(signed_in, path)
        assert "Pay 10,511.46 EUR" in text
        assert "488.54" in text
        for _ in range(2):  # a form that is sent twice pays once
            signed_in.post("/portal/pay/", hidden(text))
        for invoice in two:
            invoice.refresh_from_db()
            assert invoice.is_paid
        assert Wallet.of(account, "EUR").balance == Decimal("488.54")

    def test_not_with_too_little(self, signed_in: Client, account: Account) -> None:
        samples.fill_wallet(account, "10.00")
        invoice = samples.invoice(account)
        text = text_of(signed_in, f"/portal/pay/?invoice={invoice.uid}")
        assert "Not enough in the wallet" in text
        answer = signed_in.post(
            "/portal/pay/", hidden(text) | {"total": "5255.73", "invoice": str(invoice.uid)}
        )
        assert answer.status_code == 422
        invoice.refresh_from_db()
        assert not invoice.amount_paid

    def test_not_another_sum_than_was_shown(
        self, signed_in: Client, account: Account, two: list[Invoice]
    ) -> None:
        text = text_of(signed_in, f"/portal/pay/?invoice={two[0].uid}&invoice={two[1].uid}")
        payments.mark_paid(two[0], by=None)
        answer = signed_in.post("/portal/pay/", hidden(text))
        assert answer.status_code == 422
        two[1].refresh_from_db()
        assert not two[1].is_paid

    def test_not_over_two_currencies(
        self, signed_in: Client, account: Account, two: list[Invoice]
    ) -> None:
        other = samples.invoice(account, currency="USD")
        answer = signed_in.get(
            f"/portal/pay/?invoice={two[0].uid}&invoice={other.uid}", follow=True
        )
        assert "one account and one currency" in answer.content.decode()


class TestWallet:
    def test_tells_what_is_set_aside(self, signed_in: Client, account: Account) -> None:
        samples.fill_wallet(account, "100.00")
        Wallet.of(account, "EUR").hold(Money.parse("30", "EUR"), reason="Deposit", key="k")
        text = text_of(signed_in, "/portal/wallet/")
        assert "Your wallet holds 70.00 EUR" in text
        assert "30.00 EUR is set aside" in text

    def test_pages(self, signed_in: Client, account: Account) -> None:
        for n in range(1, 53):
            samples.fill_wallet(account, f"{n}.00")
        first = text_of(signed_in, "/portal/wallet/")
        found = re.search(r'rel="next" href="([^"]+)"', first)
        assert found
        second = text_of(signed_in, f"/portal/wallet/{found[1]}".replace("&amp;", "&"))
        assert second.count("<tr>") == 3
        assert signed_in.get(f"/portal/wallet/?wallet={account.uid}-EUR&after=1").status_code == 404


class TestProfile:
    FORM = {"first_name": "Ismail", "last_name": "Sahin", "city": "Potsdam", "country": "de"}

    def test_is_stored_and_journalled_without_values(
        self, signed_in: Client, account: Account
    ) -> None:
        assert signed_in.post("/portal/profile/", self.FORM).status_code == 303
        account.refresh_from_db()
        assert (account.city, account.country) == ("Potsdam", "DE")
        assert user_of(account).first_name == "Ismail"
        event = Event.objects.everywhere().get(kind="account.changed")
        assert "city" in str(vars(event))
        assert "Potsdam" not in str(vars(event))

    def test_what_is_wrong_is_said(self, signed_in: Client, account: Account) -> None:
        answer = signed_in.post("/portal/profile/", self.FORM | {"country": "XX"})
        assert answer.status_code == 422
        account.refresh_from_db()
        assert account.city == "Berlin"

    def test_a_name_is_kept(self, signed_in: Client, account: Account) -> None:
        """Without one, invoices would be billed to what they log in with."""
        nameless = self.FORM | {"first_name": " ", "last_name": ""}
        answer = signed_in.post("/portal/profile/", nameless)
        assert answer.status_code == 422
        assert "first_name" in answer.context["name_form"].errors
        account.refresh_from_db()
        assert account.name == "İsmail Şahin"
        assert signed_in.post("/portal/profile/", self.FORM | {"last_name": ""}).status_code == 303

    def test_changes_nothing_of_an_invoice(self, signed_in: Client, account: Account) -> None:
        invoice = samples.invoice(account)
        signed_in.post("/portal/profile/", self.FORM)
        invoice.refresh_from_db()
        assert invoice.as_buyer()["city"] == "Berlin"

    def test_ranks_cannot_be_taken(self, signed_in: Client, account: Account) -> None:
        signed_in.post("/portal/profile/", self.FORM | {"is_superuser": "on", "website": "1"})
        user = user_of(account)
        user.refresh_from_db()
        assert not user.is_superuser

    def test_a_key_is_revoked(self, signed_in: Client, account: Account) -> None:
        key, _text = ApiKey.issue(
            website=account.website, user=user_of(account), name="till", scopes=["read"]
        )
        signed_in.post(f"/portal/profile/keys/{key.uid}/revoke/")
        key.refresh_from_db()
        assert key.revoked_at


class TestStatement:
    def test_adds_up_to_what_is_owed(self, signed_in: Client, account: Account) -> None:
        invoice = samples.invoice(account)
        payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        issue_credit_note(invoice, reason="Late", by=None, amount=Money.parse("1000", "EUR"))
        gone = samples.invoice(account)
        gone.void(reason="Twice")
        lines = text_of(signed_in, "/portal/statement.csv").strip().splitlines()
        assert len(lines) == 6
        assert lines[-1].endswith(",4000.00")


def test_the_wallet_names_what_its_entries_are_about(
    admin_client: Client, signed_in: Client, account: Account
) -> None:
    invoice = samples.invoice(account)
    payment = payments.pay(invoice, invoice.due, method="manual", by=None)
    freed = Money.parse("100", "EUR")
    note = issue_credit_note(invoice, reason="Late", by=None, amount=freed)
    payments.refund(payment, freed, by=None, reason="Asked for")
    text = text_of(signed_in, "/portal/wallet/")
    assert f'href="/portal/credit-notes/{note.uid}' in text
    assert text.count(f'<a href="{page_of(invoice)}">{invoice.number}</a>') == 2
    text = text_of(admin_client, f"/staff/clients/{account.uid}/")
    ledger = text[text.index('id="wallet-1"') :]
    assert f'<a href="/staff/credit-notes/{note.uid}/">{note.number}</a>' in ledger
    assert ledger.count(f'<a href="/staff/payments/{payment.uid}/">') == 2
    assert ledger.count(f'<a href="/staff/invoices/{invoice.uid}/">{invoice.number}</a>') == 2


@pytest.mark.parametrize("page", PAGES)
def test_the_number_of_queries_does_not_grow(
    signed_in: Client,
    account: Account,
    page: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(6):
        invoice = samples.invoice(account)
        payments.pay(invoice, Money.parse("100", "EUR"), method="manual", by=None)
        issue_credit_note(invoice, reason="Late", by=None, amount=Money.parse("1", "EUR"))
    samples.fill_wallet(account, "10.00")
    signed_in.get(f"/portal/{page}")
    with django_assert_max_num_queries(11):
        signed_in.get(f"/portal/{page}")


def test_an_invoice_takes_so_many_queries(
    signed_in: Client, account: Account, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    invoice = samples.invoice(account)
    for _ in range(5):
        payments.pay(invoice, Money.parse("10", "EUR"), method="manual", by=None)
        issue_credit_note(invoice, reason="Late", by=None, amount=Money.parse("1", "EUR"))
    samples.fill_wallet(account, "10.00")
    signed_in.get(page_of(invoice))
    with django_assert_max_num_queries(12):
        signed_in.get(page_of(invoice))


def test_numbers_and_days_are_written_alike_by_all_pages(
    admin_client: Client, account: Account
) -> None:
    """In the reader's language, as the website's country writes it."""
    Website.objects.filter(pk=account.website_id).update(country="DE", language="de")
    invoice = samples.invoice(account)
    locale = Locale("en", "DE")
    assert invoice.due_date
    day = {width: spelling.day(invoice.due_date, locale, width) for width in ("medium", "long")}
    signed_in = Client()
    signed_in.force_login(user_of(account))
    for who, path, width in [
        (signed_in, "/portal/", "medium"),
        (signed_in, "/portal/invoices/", "medium"),
        (signed_in, page_of(invoice), "long"),
        (signed_in, f"/pay/invoice/{invoice.payment_token}/", "long"),
        (admin_client, "/staff/invoices/", "medium"),
        (admin_client, f"/staff/invoices/{invoice.uid}/", "medium"),
    ]:
        text = who.get(path, headers={"accept-language": "en"}).content.decode()
        assert "5.255,73" in text, path
        assert day[width] in text, path
