"""What stands on a document in the place of a buyer who was erased, once no duty keeps them."""

from __future__ import annotations

import json

ERASED_BUYER = dict.fromkeys(
    (
        *("key", "name", "email", "phone", "line1", "line2", "city", "region", "postal_code"),
        *("country", "tax_number"),
    ),
    "",
) | {"name": "(erased)"}

AS_STORED = json.dumps(ERASED_BUYER)
"""As SQLite keeps it: the database's own refusal compares the text."""
