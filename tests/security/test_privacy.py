"""Security figure S11: all about a person is given out, and erasing leaves only what a stated duty
keeps."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from tallystick.accounts import personal
from tallystick.accounts.models import Account, Website
from tallystick.accounts.personal import NotSettled, Whom
from tallystick.billing import link_log, triggers
from tallystick.billing.emails import Email
from tallystick.billing.erased import ERASED_BUYER
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import CreditNote, Invoice
from tallystick.billing.payments import mark_paid
from tallystick.billing.tests import making
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events import chain
from tallystick.events.models import Event, PersonKey
from tallystick.events.verify import Verification
from tallystick.integrations import erasure, sync
from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.kit.money import Money
from tallystick.people.models import User
from tests.security import world as worlds
from tests.security.world import ADDRESS, World

pytestmark = pytest.mark.django_db

WHY = "asked for in writing"

KEPT = {
    ("billing_invoice", "buyer"),
    ("billing_invoice", "title"),
    ("billing_invoiceline", "description"),
    ("billing_creditnote", "buyer"),
    ("billing_creditnote", "reason"),
    ("billing_creditnoteline", "description"),
    ("billing_banktransaction", "name"),
    ("billing_banktransaction", "text"),
    # What staff wrote of a credit note stands on the note's own title, if at all.
    ("billing_creditnote", "title"),
}
"""Where a person may still be found: documents as issued, and booked lines of the bank."""


@pytest.fixture
def world(db: None) -> World:
    return worlds.make()


def erased(world: World) -> erasure.Report:
    report = erasure.erase(Whom.find(world.user.email), reason=WHY)
    world.user.refresh_from_db()
    return report


def test_every_model_says_what_it_holds_of_a_person() -> None:
    models = [
        model for model in apps.get_models() if not model.__module__.startswith(("tests.", "bench"))
    ]
    assert personal.unregistered(models) == []


def test_an_export_has_it_all_and_no_secrets(world: World) -> None:
    out = StringIO()
    erasure.export(Whom.find(world.user.email), out)
    text = out.getvalue()
    assert [word for word in world.told if word not in text] == []
    assert ADDRESS in text
    data = json.loads(text)
    assert {"person", "accounts", "invoices", "emails", "link_log", "journal", "outside"} <= set(
        data
    )
    assert data["outside"][0]["remote_id"] == "remote-contacts"
    for secret in ("CanaryOfASecret", "digest", world.user.password, "tally_"):
        assert secret not in text


def test_an_export_has_nothing_of_others(world: World) -> None:
    other = User.objects.create_user("other", "other@client.example", first_name="Canary")
    Account.open_for_user(other, world.website)
    out = StringIO()
    erasure.export(Whom.of_user(other), out)
    text = out.getvalue()
    assert [word for word in world.told if word in text] == []


def test_an_export_brings_the_documents(world: World, tmp_path: Path) -> None:
    out = tmp_path / "all.zip"
    call_command("export_person", world.user.email, out=out, stdout=StringIO())
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        assert archive.read(next(n for n in names if n.startswith("invoices/")))[:5] == b"%PDF-"
    assert {name.partition("/")[0] for name in names} == {
        "data.json", "invoices", "credit-notes", "receipts",
    }  # fmt: skip
    with pytest.raises(CommandError, match="there already"):
        call_command("export_person", world.user.email, out=out)


def test_erasing_leaves_what_is_stated(world: World) -> None:
    report = erased(world)
    left = {place for place, text in worlds.dump().items() if "canary" in text.casefold()}
    assert left <= KEPT
    assert {kept.section for kept in report.kept} >= {"invoices", "credit_notes", "bank_lines"}
    ends = {kept.until for kept in report.kept if kept.section == "invoices"}
    assert ends == {date(world.website.today().year + 10, 12, 31)}
    assert all(kept.why for kept in report.kept)
    for place, text in worlds.dump().items():
        assert ADDRESS not in text, place


def test_no_file_names_them(world: World) -> None:
    erased(world)
    for file in Path(settings.MEDIA_ROOT).rglob("*"):
        assert not file.is_file() or b"Canary" not in file.read_bytes()


def test_of_the_lines_of_the_bank_only_what_is_booked_stays(world: World) -> None:
    erased(world)
    text = worlds.dump()["billing_banktransaction", "text"]
    assert "CanaryBooked" in text
    assert "CanarySetAside" not in text


def test_nobody_signs_in_as_them(world: World) -> None:
    client = Client()
    client.force_login(world.user)
    assert "_auth_user_id" in client.session
    erased(world)
    assert "_auth_user_id" not in client.session
    user = world.user
    assert (user.is_active, user.has_usable_password(), user.email) == (False, False, "")
    assert [getattr(user, name) for name in User.SENSITIVE_FIELDS] == [""] * 9
    assert all(key.revoked_at for key in user.api_keys.everywhere())


def test_their_links_open_nothing(world: World) -> None:
    invoice = Invoice.objects.of(world.website).exclude(number="").get()
    erased(world)
    answer = Client().get(f"/pay/invoice/{invoice.payment_token}/pdf/")
    assert answer.status_code == 410
    assert "Canary" not in answer.content.decode()


def test_the_journal_stays_whole_and_reads_as_erased(world: World) -> None:
    invoice = Invoice.objects.of(world.website).exclude(number="").get()
    seen = link_log.visits(invoice).last()
    assert seen is not None
    assert seen.address_shown == ADDRESS
    sealed = seen.address
    while chain.seal():
        pass
    erased(world)
    while chain.seal():
        pass
    assert list(Verification().findings()) == []
    assert not PersonKey.objects.filter(subject=f"user:{world.user.pk}").exclude(secret="").exists()
    seen.address = sealed  # as a backup of the log would have it
    del vars(seen)["_address_shown"]
    assert seen.address_shown == "erased"


def test_it_is_journalled_with_what_was_kept(world: World) -> None:
    erasure.export(Whom.find(world.user.email), StringIO())
    erased(world)
    kinds = [event.kind for event in Event.objects.of_subject(world.user)]
    assert kinds[:2] == ["person.erased", "person.exported"]
    change = json.loads(Event.objects.of_subject(world.user)[0].change)
    assert change["reason"] == WHY
    assert {"section", "count", "until"} == set(change["kept"][0])


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "asked by ada@client.example"])
def test_a_reason_is_given_and_names_nobody(world: World, reason: str) -> None:
    with pytest.raises(erasure.BadReason):
        erasure.erase(Whom.of_user(world.user), reason=reason)
    with pytest.raises(erasure.BadReason):
        erasure.erase(Whom.of_user(world.user), reason=f"of {world.user.get_full_name()}")


def test_a_dry_run_says_the_same_and_does_nothing(world: World) -> None:
    before = worlds.dump()
    whom = Whom.of_user(world.user)
    dry = erasure.erase(whom, reason=WHY, dry_run=True)
    assert worlds.dump() == before
    wet = erasure.erase(whom, reason=WHY)
    assert (dry.erased, dry.kept) == (wet.erased, wet.kept)


def test_a_run_that_dies_leaves_nothing_half_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worlds.dump()
    whom = Whom.of_user(world.user)
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "record", _die)
        with pytest.raises(KeyboardInterrupt):
            erasure.erase(whom, reason=WHY)
    assert worlds.dump() == before
    erased(world)
    again = erasure.erase(Whom.find(str(world.user.uid)), reason=WHY)
    assert {kept.section for kept in again.kept} >= {"invoices"}


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


class TestOpen:
    @pytest.fixture
    def invoice(self, world: World) -> Invoice:
        line = LineDraft(description="Work", unit_price=Decimal(5))
        invoice = Invoice.objects.draft(account=world.account, lines=[line])
        invoice.issue()
        return invoice

    def test_money_between_us_comes_first(self, world: World, invoice: Invoice) -> None:
        before = worlds.dump()
        with pytest.raises(NotSettled, match="is open"):
            erased(world)
        with pytest.raises(CommandError, match="--keep-open"):
            call_command("erase_person", world.user.email, reason=WHY)
        assert worlds.dump() == before
        mark_paid(invoice, by=None)
        assert erased(world).open == []

    def test_a_part_is_not_called_all(self, world: World, invoice: Invoice) -> None:
        wallet = Wallet.of(world.account, "EUR")
        wallet.credit(Money(Decimal("7.5"), "EUR"), WalletEntry.Reason.CREDIT)
        out = StringIO()
        call_command("erase_person", world.user.email, reason=WHY, keep_open=True, stdout=out)
        told = out.getvalue().splitlines()
        assert ": partly erased: " in told[0]
        assert told[0].endswith("settle it and run again.")
        assert any(line.endswith("There are 7.50 EUR in the wallet.") for line in told)

    def test_the_rest_is_erased_before(self, world: World, invoice: Invoice) -> None:
        whom = Whom.of_user(world.user)
        report = erasure.erase(whom, reason=WHY, keep_open=True)
        assert len(report.open) == 1
        world.user.refresh_from_db()
        world.account.refresh_from_db()
        assert "CanaryFirst" in world.user.first_name
        assert world.account.city == "CanaryCity"
        assert world.user.allergies == world.user.phone_number == ""
        assert Client().get(f"/pay/invoice/{invoice.payment_token}/").status_code == 200
        mark_paid(invoice, by=None)
        assert "CanaryFirst" not in erased(world).uid + world.user.first_name


class TestRetention:
    @pytest.fixture
    def old(self, world: World) -> Invoice:
        line = LineDraft(description="Work", unit_price=Decimal(5))
        then = datetime(world.website.today().year - 11, 12, 31, 12, tzinfo=UTC)
        with clock.use(clock.VirtualClock(then)):
            invoice = Invoice.objects.bill(account=world.account, lines=[line], send=False)
        mark_paid(invoice, by=None)
        return invoice

    def test_the_buyer_goes_when_no_duty_keeps_them(self, world: World, old: Invoice) -> None:
        call_command("erase_person", expired=True, stdout=StringIO())
        old.refresh_from_db()
        assert old.buyer != ERASED_BUYER  # nobody asked to be erased
        erased(world)
        call_command("erase_person", expired=True, stdout=StringIO())
        old.refresh_from_db()
        assert old.as_buyer() == ERASED_BUYER
        young = Invoice.objects.of(world.website).exclude(pk=old.pk).get()
        assert young.buyer["name"].startswith("Canary")
        assert Event.objects.of_subject(world.website)[0].kind == "documents.retention_ended"

    def test_not_a_year_sooner(self, world: World, old: Invoice) -> None:
        Website.objects.filter(pk=world.website.pk).update(retention_years=11)
        erased(world)
        call_command("erase_person", expired=True, stdout=StringIO())
        old.refresh_from_db()
        assert old.buyer != ERASED_BUYER

    def test_the_database_lets_that_change_through_and_no_other(
        self, world: World, old: Invoice
    ) -> None:
        triggers.create(connection)
        erased(world)
        old_row = Invoice.objects.everywhere().filter(pk=old.pk)
        young = Invoice.objects.of(world.website).exclude(pk=old.pk)
        notes = CreditNote.objects.of(world.website)
        for rows, values in (
            (old_row, {"buyer": ERASED_BUYER | {"name": "Somebody"}}),
            (old_row, {"buyer": ERASED_BUYER, "amount": Decimal(1)}),
            (old_row, {"buyer": ERASED_BUYER, "seller": {}}),
            (young, {"buyer": ERASED_BUYER}),
            (notes, {"buyer": ERASED_BUYER}),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**values)
        assert old_row.update(buyer=ERASED_BUYER) == 1


class TestByStaff:
    @pytest.fixture
    def desk(self, world: World) -> Client:
        client = Client(REMOTE_ADDR="198.51.100.9")
        client.force_login(world.staff)
        return client

    def page(self, world: World, act: str) -> str:
        return f"/admin/people/user/{world.user.pk}/{act}/"

    def test_gives_it_out(self, world: World, desk: Client) -> None:
        text = desk.get(f"/admin/people/user/{world.user.pk}/change/").content.decode()
        assert self.page(world, "export") in text
        assert desk.get(self.page(world, "export")).status_code == 200
        assert not Event.objects.of_subject(world.user).filter(kind="person.exported").exists()
        answer = desk.post(self.page(world, "export"))
        assert answer["Content-Type"] == "application/zip"
        event = Event.objects.of_subject(world.user)[0]
        assert (event.kind, event.actor_id) == ("person.exported", str(world.staff.pk))

    def test_erases_when_asked_twice(self, world: World, desk: Client) -> None:
        form = {"reason": WHY, "confirmed": "somebody else"}
        assert desk.post(self.page(world, "erase"), form).status_code == 200
        world.user.refresh_from_db()
        assert world.user.email
        form["confirmed"] = world.user.username
        assert desk.post(self.page(world, "erase"), form).status_code == 302
        world.user.refresh_from_db()
        assert not world.user.email
        assert Event.objects.of_subject(world.user)[0].address_shown == "198.51.100.9"

    def test_says_what_is_open(self, world: World, desk: Client) -> None:
        line = LineDraft(description="Work", unit_price=Decimal(5))
        Invoice.objects.draft(account=world.account, lines=[line]).issue()
        form = {"reason": WHY, "confirmed": world.user.username}
        assert "is open" in desk.post(self.page(world, "erase"), form).content.decode()

    def test_is_for_those_who_may_manage_them(self, world: World) -> None:
        theirs = making.staff(making.website())
        client = Client()
        client.force_login(theirs)
        for act in ("export", "erase"):
            assert client.post(self.page(world, act), {"reason": WHY}).status_code in (403, 404)

    def test_nobody_erases_themselves(self, world: World, desk: Client) -> None:
        page = f"/admin/people/user/{world.staff.pk}/erase/"
        answer = desk.post(page, {"reason": WHY, "confirmed": "boss"})
        assert "Nobody erases themselves" in answer.content.decode()


class TestOutside:
    def test_it_says_where_their_data_went(self, world: World) -> None:
        report = erased(world)
        outside = [str(kept) for kept in report.kept if kept.section == "outside"]
        assert len(outside) == 1
        assert "“Books”, customer remote-contacts" in outside[0]

    def test_an_active_connection_is_told(self, world: World) -> None:
        Link.objects.all().update(state="done")
        connections = {link.connection for link in Link.objects.select_related("connection")}
        for each in connections:
            each.is_active = True
            each.save()
        erased(world)
        link = Link.objects.get(model="accounts.Account")
        assert link.state == "due"
        world.account = Account.objects.everywhere().get(pk=world.account.pk)
        record = sync.sync_of("accounts.Account").to_record(world.account)
        assert "anary" not in repr(record)
        assert "is_active=False" in repr(record)

    def test_no_health_data_is_in_what_is_sent(self, world: World) -> None:
        said = [
            repr(each.to_record(row))
            for each in sync._registered.values()
            for row in models_rows(each)
            if each.wants(row)
        ]
        assert len(said) >= 3
        assert any("CanaryFirst" in record for record in said)
        health = [f"Canary{name.title().replace('_', '')}" for name in User.SENSITIVE_FIELDS]
        assert [word for word in health if any(word in record for record in said)] == []


def models_rows(each: sync.ModelSync) -> list[object]:
    return list(each.model._base_manager.all())


def test_no_mail_goes_to_them_any_more(world: World) -> None:
    from django.core import mail

    waiting = Email.due().count()
    assert waiting
    erased(world)
    assert Email.due().count() == 0
    assert not Email.objects.exclude(to="").exists()
    mail.outbox.clear()
