"""Bodies to copy from."""

from __future__ import annotations

LINE = {
    "description": "Website redesign",
    "quantity": "1",
    "unit_price": "1000.00",
    "tax_rate": "std",
}
INVOICE = {
    "client": "7f1c2a52-6a2e-4f7a-9a39-2f4b8c1d0e11",
    "title": "Website",
    "currency": "EUR",
    "due_date": "2026-12-31",
    "lines": [LINE],
}
NEW_INVOICE = INVOICE | {"send": True}
PATCH = {"title": "Website, second part", "due_date": "2027-01-31"}
REASON = {"reason": "Billed twice by mistake."}
CREDIT = {"reason": "One day less.", "lines": [{"position": 1, "quantity": "0.5"}]}
LINK = {"action": "renew", "one_use": True}
PAY = {"method": "wallet", "amount": "119.00", "currency": "EUR"}
REFUND = {"reason": "Returned.", "amount": "19.00", "currency": "EUR"}
MARK_PAID = {"reference": "Statement 12, line 3"}
BULK = {"action": "send_email", "ids": ["7f1c2a52-6a2e-4f7a-9a39-2f4b8c1d0e11"]}
ISSUE = {"send": True}
