"""Cells of a CSV file that spreadsheets show as they are."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: object) -> object:
    """`value` so that no spreadsheet takes it for a formula. Figures are no text and stay as they are."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
