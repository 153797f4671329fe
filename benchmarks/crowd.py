"""A website with any number of invoices, three in four of them paid, and a client to every fifty."""

from __future__ import annotations

from benchmarks.filling import copy, settle
from tallystick.billing.invoices import Invoice

BASE = 10_000_000
BIG = (
    *("billing_invoice", "billing_invoiceline", "billing_email", "billing_payment"),
    *("billing_allocation", "events_event", "people_user", "accounts_account"),
)

_ID, _NEW = f"{BASE} + n", "gen_random_uuid()"
_CLIENT = f"{BASE} + 1 + n / 50"
_AGO = "created_at - n * interval '1 minute'"
_PERSON = {
    "id": _ID,
    "uid": _NEW,
    "username": "'client' || n",
    "email": "'client' || n || '@many.example'",
    "referral_code": "lpad(n::text, 10, '0')",
    "date_joined": "date_joined - n * interval '1 minute'",
}
_ACCOUNT = {"id": _ID, "uid": _NEW, "user_id": _ID}
_INVOICE = {
    "id": _ID,
    "uid": _NEW,
    "client_id": _CLIENT,
    "reference_id": "'R' || lpad(n::text, 11, '0')",
    "key": "'old' || n",
    "number": "'OLD-' || lpad(n::text, 8, '0')",
    "payment_token": (
        "'INV-R' || lpad(n::text, 11, '0') || '-' || left(md5(n::text) || md5((n + 1)::text), 43)"
    ),
    "created_at": _AGO,
    "issue_date": "issue_date - (n / 1440)::int",
    "due_date": "due_date - (n / 1440)::int",
}
_LINE = {"id": f"{BASE} + 3 * n + position", "invoice_id": _ID}
_MAIL = {
    "id": _ID,
    "uid": _NEW,
    "invoice_id": _ID,
    "state": "CASE WHEN n % 50000 < 20 THEN 'due' ELSE 'done' END",
    "message_id": "'<' || n || '@old>'",
    "created_at": _AGO,
}
_EVENT = {"id": f"{BASE} + 4 * n + id % 4", "subject_id": f"({_ID})::text", "seal_seq": "NULL"}
_PAYMENT = {
    "id": _ID,
    "uid": _NEW,
    "key": "'old' || n",
    "account_id": _CLIENT,
    "invoice_id": _ID,
    "payment_id": _ID,
    "created_at": _AGO,
}


def grow(first: int, last: int) -> None:
    """Invoices `first` to `last`, with all that belongs to them; the first two there are are the
    patterns: one owed, one paid by one payment."""
    owed, paid = Invoice.objects.everywhere().filter(number__startswith="INV").order_by("id")[:2]
    clients = (1 if first == 1 else (first - 1) // 50 + 2, last // 50 + 1)
    copy("people_user", f"id = {owed.client.user_id}", _PERSON, *clients)
    copy("accounts_account", f"id = {owed.client_id}", _ACCOUNT, *clients)
    for pattern, which in ((owed, "n % 4 = 0"), (paid, "n % 4 <> 0")):
        copy("billing_invoice", f"id = {pattern.pk} AND {which}", _INVOICE, first, last)
        copy("billing_invoiceline", f"invoice_id = {pattern.pk} AND {which}", _LINE, first, last)
        about = f"subject_type = 'billing.invoice' AND subject_id = '{pattern.pk}' AND {which}"
        copy("events_event", f"{about} AND kind <> 'invoice.created'", _EVENT, first, last)
    asking = f"invoice_id = {owed.pk} AND key = 'payment.invoice_generated'"
    copy("billing_email", asking, _MAIL, first, last)
    payment = paid.allocations.get().payment_id
    copy("billing_payment", f"id = {payment} AND n % 4 <> 0", _PAYMENT, first, last)
    copy("billing_allocation", f"payment_id = {payment} AND n % 4 <> 0", _PAYMENT, first, last)
    settle(*BIG)
