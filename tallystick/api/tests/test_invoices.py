from __future__ import annotations

import pytest

from tallystick.accounts.apikeys import Scope
from tallystick.api.tests.desk import Desk, anybody
from tallystick.billing.invoices import Invoice
from tallystick.billing.models import Email
from tallystick.billing.tests import making

pytestmark = pytest.mark.django_db


class TestReading:
    def test_a_list_says_what_a_detail_says(self, desk: Desk) -> None:
        admin = desk.as_admin()
        rows = {row["id"]: row for row in admin.get("invoices/").body["results"]}
        for invoice in (desk.draft, desk.invoice, desk.paid):
            whole = admin.get(f"invoices/{invoice.uid}/").body
            assert rows[str(invoice.uid)].items() <= whole.items()

    def test_amounts_are_text_with_their_currency(self, desk: Desk) -> None:
        body = desk.as_admin().get(f"invoices/{desk.invoice.uid}/").body
        assert (body["amount"], body["tax"], body["currency"]) == ("119.00", "19.00", "EUR")
        assert body["taxes"] == [
            {"tax_rate": "std", "percent": "19", "net": "100.00", "tax": "19.00", "gross": "119.00"}
        ]
        assert body["created_at"].endswith("Z")

    def test_a_client_sees_their_own_but_no_draft(self, desk: Desk) -> None:
        client = desk.as_client()
        assert str(desk.draft.uid) not in client.get("invoices/").ids
        assert str(desk.invoice.uid) in client.get("invoices/").ids
        assert client.get(f"invoices/{desk.draft.uid}/").status == 404

    def test_a_pdf_is_a_pdf(self, desk: Desk) -> None:
        answer = desk.as_client().get(f"invoices/{desk.invoice.uid}/pdf/")
        assert answer.response["Content-Type"] == "application/pdf"
        assert answer.response.content.startswith(b"%PDF")


class TestCreating:
    def test_makes_a_draft(self, desk: Desk) -> None:
        answer = desk.as_key().post("invoices/", desk.new())
        assert answer.status == 201
        assert answer.body["status"] == "draft"
        assert answer.body["amount"] == "119.00"
        assert answer.response["Location"].endswith(f"/invoices/{answer.body['id']}/")
        assert Invoice.objects.everywhere().get(uid=answer.body["id"]).issued_by == desk.admin

    def test_issues_and_mails_at_once(self, desk: Desk) -> None:
        body = desk.as_admin().post("invoices/", desk.new(send=True)).body
        assert (body["status"], bool(body["number"])) == ("open", True)
        assert Email.objects.filter(invoice__uid=body["id"]).exists()
        quiet = desk.as_admin().post("invoices/", desk.new(issue=True)).body
        assert quiet["status"] == "open"
        assert not Email.objects.filter(invoice__uid=quiet["id"]).exists()

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"client": "no"}, "/client"),
            ({"client": "00000000-0000-0000-0000-000000000000"}, "/client"),
            ({"currency": "ABC"}, "/currency"),
            ({"due_date": "tomorrow"}, "/due_date"),
            ({"due_date": "0001-01-01"}, "/due_date"),
            ({"title": "x" * 201}, "/title"),
            ({"title": 5}, "/title"),
            ({"title": "a\0b"}, "/title"),
            ({"lines": "none"}, "/lines"),
            ({"lines": [{"description": "a"}]}, "/lines"),
            ({"lines": [{"description": "a", "unit_price": True}]}, "/lines/0/unit_price"),
            ({"lines": [{"description": "a", "unit_price": "1e5"}]}, "/lines/0/unit_price"),
            ({"lines": [{"description": "a", "unit_price": "9" * 40}]}, "/lines/0/unit_price"),
            ({"lines": [{"unit_price": "1", "tax_rate": "none"}]}, "/lines/0/tax_rate"),
            ({"colour": "red"}, "/colour"),
            ({"amount_paid": "5"}, "/amount_paid"),
        ],
    )
    def test_names_what_is_wrong(
        self, desk: Desk, changes: dict[str, object], pointer: str
    ) -> None:
        before = Invoice.objects.everywhere().count()
        answer = desk.as_admin().post("invoices/", desk.new(**changes))
        assert answer.status == 422
        assert answer.body["type"].endswith(f"/api/problems/{answer.code}/")
        assert pointer in answer.pointers
        assert Invoice.objects.everywhere().count() == before

    def test_of_a_client_of_another_website_knows_nothing(self, desk: Desk) -> None:
        stranger = making.account(making.website())
        answer = desk.as_admin().post("invoices/", desk.new(client=str(stranger.uid)))
        assert (answer.status, answer.pointers) == (422, ["/client"])

    def test_is_for_admins(self, desk: Desk) -> None:
        assert desk.as_client().post("invoices/", desk.new()).status == 403
        assert desk.as_key(Scope.READ).post("invoices/", desk.new()).code == "scope_missing"
        assert anybody().post("invoices/", desk.new()).status == 401


class TestDrafts:
    def test_are_changed_in_part(self, desk: Desk) -> None:
        path = f"invoices/{desk.draft.uid}/"
        body = desk.as_admin().send("PATCH", path, {"title": "New"}).body
        assert (body["title"], body["amount"]) == ("New", "119.00")
        lines = [{"description": "Other", "unit_price": "10"}]
        assert desk.as_admin().send("PATCH", path, {"lines": lines}).body["amount"] == "10.00"

    def test_are_replaced_whole(self, desk: Desk) -> None:
        path = f"invoices/{desk.draft.uid}/"
        body = desk.as_admin().send("PUT", path, desk.new(title="", reference="PO 7")).body
        assert (body["title"], body["reference"]) == ("", "PO 7")

    def test_what_was_read_may_be_sent_back(self, desk: Desk) -> None:
        path = f"invoices/{desk.draft.uid}/"
        read = desk.as_admin().get(path).body
        changed = read | {"title": "Changed"}
        changed["lines"] = [read["lines"][0] | {"quantity": "3"}]
        answer = desk.as_admin().send("PUT", path, {**changed, "client": read["client"]["id"]})
        assert answer.status == 200, answer.body
        assert (answer.body["title"], answer.body["amount"]) == ("Changed", "357.00")

    @pytest.mark.parametrize("method", ["PATCH", "PUT"])
    def test_stay_at_their_website(self, desk: Desk, method: str) -> None:
        path, client = f"invoices/{desk.draft.uid}/", {"client": str(desk.account.uid)}
        elsewhere = {"website": str(making.website().uid)}
        for body in ({}, client) if method == "PATCH" else (client,):
            answer = desk.as_superadmin().send(method, path, {**body, **elsewhere})
            assert (answer.status, answer.pointers) == (422, ["/website"])
            ours = {**body, "website": str(desk.website.uid)}
            assert desk.as_admin().send(method, path, ours).status == 200

    def test_are_deleted_and_nothing_else_is(self, desk: Desk) -> None:
        admin = desk.as_admin()
        assert admin.send("DELETE", f"invoices/{desk.draft.uid}/").status == 204
        assert admin.get(f"invoices/{desk.draft.uid}/").status == 404
        assert admin.send("DELETE", f"invoices/{desk.invoice.uid}/").code == "not_deletable"

    def test_an_issued_one_does_not_change(self, desk: Desk) -> None:
        answer = desk.as_admin().send("PATCH", f"invoices/{desk.invoice.uid}/", {"title": "x"})
        assert (answer.status, answer.code) == (409, "not_a_draft")


class TestActs:
    def test_issue(self, desk: Desk) -> None:
        body = desk.as_admin().post(f"invoices/{desk.draft.uid}/issue/", {"send": False}).body
        assert (body["status"], body["email_sent"]) == ("open", False)

    def test_mark_paid(self, desk: Desk) -> None:
        body = desk.as_key().post(f"invoices/{desk.invoice.uid}/mark_paid/").body
        assert (body["status"], body["amount_due"]) == ("paid", "0.00")
        again = desk.as_key().post(f"invoices/{desk.invoice.uid}/mark_paid/")
        assert (again.status, again.code) == (409, "already_paid")

    def test_void_with_a_reason(self, desk: Desk) -> None:
        path = f"invoices/{desk.invoice.uid}/void/"
        assert desk.as_admin().post(path, {}).pointers == ["/reason"]
        assert desk.as_admin().post(path, {"reason": "Twice."}).body["status"] == "void"

    def test_write_off(self, desk: Desk) -> None:
        path = f"invoices/{desk.invoice.uid}/write_off/"
        assert desk.as_admin().post(path, {"reason": "Gone."}).body["status"] == "uncollectible"

    def test_credit_by_line(self, desk: Desk) -> None:
        position = desk.invoice.lines.get().position
        body = {"reason": "Half.", "lines": [{"position": position, "quantity": "0.5"}]}
        note = desk.as_admin().post(f"invoices/{desk.invoice.uid}/credit/", body)
        assert (note.status, note.body["amount"]) == (201, "59.50")
        whole = desk.as_admin().get(f"invoices/{desk.invoice.uid}/").body
        assert whole["credit_notes"][0]["number"] == note.body["number"]

    @pytest.mark.parametrize("amount", ["0", "-1", "119.01"])
    def test_credit_of_what_is_not_left(self, desk: Desk, amount: str) -> None:
        path = f"invoices/{desk.invoice.uid}/credit/"
        told = desk.as_admin().post(path, {"reason": "Less.", "amount": amount})
        assert (told.status, told.code, told.pointers) == (422, "bad_credit", ["/amount"])
        assert told.body["detail"] == "More than 0 and at most 119.00 EUR can be credited."

    def test_send_email(self, desk: Desk) -> None:
        answer = desk.as_admin().post(f"invoices/{desk.invoice.uid}/send_email/")
        assert answer.status == 202
        assert Email.objects.filter(uid=answer.body["id"]).exists()

    def test_payment_link(self, desk: Desk) -> None:
        path = f"invoices/{desk.invoice.uid}/payment_link/"
        admin = desk.as_admin()
        first = admin.post(path, {"action": "make"}).body
        renewed = admin.post(path, {"action": "renew", "one_use": True}).body
        assert first["url"] != renewed["url"]
        assert renewed["one_use"] is True
        desk.invoice.void(reason="Twice.")
        for action in ("make", "renew"):
            answer = admin.post(path, {"action": action})
            assert (answer.status, answer.code) == (409, "wrong_state")
        assert admin.post(path, {"action": "revoke"}).body["state"] == "revoked"
        assert admin.post(path, {"action": "burn"}).pointers == ["/action"]

    def test_a_client_pays_from_the_wallet(self, desk: Desk) -> None:
        path = f"invoices/{desk.invoice.uid}/process_payment/"
        part = desk.as_client().post(path, {"method": "wallet", "amount": "19.00"}).body
        assert (part["state"], part["amount_due"]) == ("partially_paid", "100.00")
        assert desk.as_client().post(path, {"method": "wallet"}).body["state"] == "paid"

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"method": "barter"}, 422, "unknown_method"),
            ({"method": "manual"}, 403, "not_allowed"),
            ({"method": "wallet", "amount": "200"}, 422, "too_much"),
            ({"method": "wallet", "amount": "0"}, 422, "bad_amount"),
            ({"method": "wallet", "amount": "1.001"}, 422, "bad_amount"),
            ({"method": "wallet", "amount": "1", "currency": "USD"}, 422, "wrong_currency"),
        ],
    )
    def test_a_payment_is_refused_in_words(
        self, desk: Desk, body: dict[str, str], status: int, code: str
    ) -> None:
        path = f"invoices/{desk.invoice.uid}/process_payment/"
        answer = desk.as_client().post(path, body)
        assert (answer.status, answer.code) == (status, code)

    def test_a_client_does_nothing_else(self, desk: Desk) -> None:
        for act in ("issue", "send_email", "mark_paid", "void", "write_off", "credit"):
            answer = desk.as_client().post(f"invoices/{desk.invoice.uid}/{act}/", {"reason": "x"})
            assert answer.status == 403, act
        desk.invoice.refresh_from_db()
        assert desk.invoice.status == "open"


class TestBulk:
    def test_each_has_its_result(self, desk: Desk) -> None:
        stranger = making.issued(making.account(making.website()))
        ids = [str(each.uid) for each in (desk.invoice, desk.paid, desk.draft, stranger)]
        answer = desk.as_admin().post("invoices/bulk/", {"action": "mark_paid", "ids": ids})
        assert answer.status == 207
        assert [row["status"] for row in answer.body["results"]] == [200, 409, 409, 404]
        assert answer.body["results"][1]["error"]["code"] == "already_paid"
        stranger.refresh_from_db()
        assert stranger.status == "open"

    def test_is_bounded(self, desk: Desk) -> None:
        ids = [str(desk.invoice.uid)] * 101
        answer = desk.as_admin().post("invoices/bulk/", {"action": "send_email", "ids": ids})
        assert answer.pointers == ["/ids"]

    def test_needs_the_scope_of_its_verb(self, desk: Desk) -> None:
        key = desk.as_key(Scope.INVOICES)
        body = {"action": "mark_paid", "ids": [str(desk.invoice.uid)]}
        assert key.post("invoices/bulk/", body).code == "scope_missing"
        assert key.post("invoices/bulk/", body | {"action": "send_email"}).status == 207
