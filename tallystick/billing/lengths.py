"""How long the words of an invoice may be, in characters: the same by the API, the admin and the forms."""

from __future__ import annotations

TITLE = 200
DESCRIPTION = 20_000
REFERENCE = 100
"""The client's, such as an order number."""
LINE = 4000
