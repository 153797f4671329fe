from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal
from typing import NoReturn

import pytest
from django.db import connection, transaction

from tallystick.accounts.models import KeptAnswer
from tallystick.api.tests.desk import Caller, Desk
from tallystick.billing.invoices import Invoice
from tallystick.billing.models import Email
from tallystick.billing.tests import making
from tallystick.kit.clock import VirtualClock
from tallystick.queue.schedules import routines

pytestmark = pytest.mark.usefixtures("healthy")

KEY = {"Idempotency_Key": "4f1b-order-7"}


@pytest.mark.django_db
class TestOnce:
    def test_a_repeat_gets_the_first_answer(self, desk: Desk) -> None:
        program = desk.as_key()
        first = program.post("invoices/", desk.new(send=True), **KEY)
        again = program.post("invoices/", desk.new(send=True), **KEY)
        assert (first.status, again.status) == (201, 201)
        assert first.body == again.body
        assert again.response["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.response
        for name in ("Location", "Content-Type"):
            assert first.response[name] == again.response[name]
        assert Email.objects.filter(invoice__uid=first.body["id"]).count() == 1

    def test_another_body_or_address_is_refused(self, desk: Desk) -> None:
        admin = desk.as_admin()
        admin.post("invoices/", desk.new(), **KEY)
        before = Invoice.objects.everywhere().count()
        for path, body in (
            ("invoices/", desk.new(title="Other")),
            (f"invoices/{desk.invoice.uid}/send_email/", {}),
        ):
            told = admin.post(path, body, **KEY)
            assert (told.status, told.code) == (422, "idempotency_key_reused")
        assert Invoice.objects.everywhere().count() == before

    def test_a_key_is_of_who_sends_it(self, desk: Desk) -> None:
        first = desk.as_key().post("invoices/", desk.new(), **KEY)
        other = desk.as_key().post("invoices/", desk.new(), **KEY)
        assert first.body["id"] != other.body["id"]

    def test_a_refusal_of_the_body_is_kept_and_one_of_the_state_is_not(self, desk: Desk) -> None:
        admin = desk.as_admin()
        first = admin.post("invoices/", desk.new(title=5), **KEY)
        again = admin.post("invoices/", desk.new(title=5), **KEY)
        assert (first.status, first.code) == (again.status, again.code) == (422, "invalid")
        assert again.response["Idempotent-Replayed"] == "true"
        path = f"invoices/{desk.draft.uid}/mark_paid/"
        other = {"Idempotency_Key": "other"}
        assert admin.post(path, **other).status == 409
        desk.draft.issue()
        assert admin.post(path, **other).body["status"] == "paid"

    def test_a_payment_of_all_outlives_its_kept_answer(self, desk: Desk) -> None:
        path = f"invoices/{desk.invoice.uid}/process_payment/"
        body = {"method": "wallet"}
        first = desk.as_client().post(path, body, **KEY)
        KeptAnswer.objects.all().delete()
        again = desk.as_client().post(path, body, **KEY)
        assert (first.status, again.status) == (200, 200)
        assert again.body == first.body
        assert desk.invoice.allocations.count() == 1

    def test_what_is_kept_cannot_be_read(self, desk: Desk) -> None:
        link = f"invoices/{desk.invoice.uid}/payment_link/"
        url = desk.as_admin().post(link, {"action": "make"}, **KEY).body["url"]
        with connection.cursor() as cursor:
            cursor.execute("SELECT body, headers FROM accounts_keptanswer")
            assert url.rsplit("/", 2)[1] not in str(cursor.fetchall())

    @pytest.mark.parametrize("key", ["", "é", "a b", "x" * 256])
    def test_a_key_is_printable(self, desk: Desk, key: str) -> None:
        told = desk.as_admin().post("invoices/", desk.new(), Idempotency_Key=key)
        assert told.code == "bad_idempotency_key"

    def test_is_forgotten_after_a_day(self, desk: Desk, now: VirtualClock) -> None:
        desk.as_key().post("invoices/", desk.new(), **KEY)
        now.advance(timedelta(hours=23))
        routines()["kept_answers"].run()
        assert KeptAnswer.objects.count() == 1
        now.advance(timedelta(hours=2))
        routines()["kept_answers"].run()
        assert KeptAnswer.objects.count() == 0

    def test_billing_remembers_for_longer(self, desk: Desk) -> None:
        program = desk.as_key()
        first = program.post("invoices/", desk.new(issue=True), **KEY)
        KeptAnswer.objects.all().delete()
        again = program.post("invoices/", desk.new(issue=True), **KEY)
        assert again.body["id"] == first.body["id"]

    def test_a_mistake_of_ours_is_not_kept(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        admin = desk.as_admin()
        with monkeypatch.context() as broken:
            broken.setattr("tallystick.api.invoices.invoice_bodies.whole", _crash)
            with pytest.raises(ZeroDivisionError):
                admin.post("invoices/", desk.new(issue=True), **KEY)
        number = Invoice.objects.everywhere().count()
        assert not KeptAnswer.objects.get().is_answered
        assert admin.post("invoices/", desk.new(issue=True), **KEY).status == 201
        assert Invoice.objects.everywhere().count() == number + 1


def _crash(*_: object) -> NoReturn:
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_of_many_one_is_done(self) -> None:
        desk = Desk.at(making.website())
        program = desk.as_key()
        before = Invoice.objects.everywhere().count()
        key = program.client.defaults["HTTP_AUTHORIZATION"].partition(" ")[2]

        def ask(_: int) -> tuple[int, str]:
            try:
                told = Caller(key=key).post("invoices/", desk.new(issue=True), **KEY)
                return told.status, told.body.get("id") or told.code
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            answers = set(pool.map(ask, range(12)))
        made = {answer for answer in answers if answer[0] == 201}
        assert len(made) == 1
        assert answers - made <= {(409, "idempotency_in_flight")}
        assert Invoice.objects.everywhere().count() == before + 1

    @pytest.mark.postgres
    def test_meanwhile_it_is_in_flight(self) -> None:
        desk = Desk.at(making.website())
        admin = desk.as_admin()
        held, go = Signal(), Signal()
        admin.post("invoices/", desk.new(title=5), **KEY)

        def hold() -> None:
            try:
                with transaction.atomic():
                    KeptAnswer.objects.select_for_update().get()
                    held.set()
                    go.wait(10)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(hold)
            held.wait(10)
            told = admin.post("invoices/", desk.new(title=5), **KEY)
            go.set()
        assert (told.status, told.code) == (409, "idempotency_in_flight")
        assert admin.post("invoices/", desk.new(title=5), **KEY).code == "invalid"
