"""Creditor references of ISO 11649, and how they are found in what banks hand on."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.billing import tokens
from tallystick.billing.banking.references import (
    creditor_reference,
    find,
    find_numbers,
    grouped,
    is_creditor_reference,
    structured_reference,
)
from tallystick.billing.invoices import Invoice

ids = st.text(tokens.ALPHABET, min_size=12, max_size=12)
digits, letters = st.sampled_from(string.digits), st.sampled_from(string.ascii_uppercase)
UNSEEN_SWAPS = {"1B", "B1", "2M", "M2", "3X", "X3"}
"""Of a digit and a letter: 9 times the letter less 2 times the digit is a multiple of 97."""


def test_is_as_in_the_standard() -> None:
    assert creditor_reference("539007547034") == "RF18539007547034"
    assert is_creditor_reference("RF18539007547034")
    assert grouped("RF18539007547034") == "RF18 5390 0754 7034"


@pytest.mark.parametrize(
    "text", ["", "RF18", "RF1853900754703ß", "rf18539007547034", "XX18539007547034"]
)
def test_what_is_none(text: str) -> None:
    assert not is_creditor_reference(text)


def test_is_of_the_invoice(invoice: Invoice) -> None:
    reference = structured_reference(invoice)
    assert is_creditor_reference(reference)
    assert reference[4:] == invoice.reference_id


@given(ids, st.data())
def test_every_wrong_digit_and_letter_shows(id_: str, data: st.DataObject) -> None:
    reference = creditor_reference(id_)
    at = data.draw(st.integers(2, len(reference) - 1))
    other = data.draw(digits if reference[at].isdigit() else letters)
    assume(other != reference[at])
    assert not is_creditor_reference(reference[:at] + other + reference[at + 1 :])


@given(ids, st.data())
def test_every_swap_of_neighbours_shows_but_three(id_: str, data: st.DataObject) -> None:
    reference = creditor_reference(id_)
    at = data.draw(st.integers(4, len(reference) - 2))
    pair = reference[at : at + 2]
    assume(pair[0] != pair[1])
    swapped = reference[:at] + pair[::-1] + reference[at + 2 :]
    assert is_creditor_reference(swapped) == (pair in UNSEEN_SWAPS)


around = st.text("abcxyz .,;:/+-äß\n0189", max_size=30)


@given(ids, around, around, st.data())
def test_is_found_whatever_the_spaces_and_the_case(
    id_: str, before: str, after: str, data: st.DataObject
) -> None:
    written = "".join(
        character + data.draw(st.sampled_from(["", "", "", " ", "\n", "\u00a0", "-"]))
        for character in creditor_reference(id_)
    )
    cased = data.draw(st.sampled_from([written, written.lower(), written.title()]))
    assert id_ in find([f"{before} {cased} {after}"]).structured


@given(st.text(max_size=300))
def test_nothing_is_found_in_most_texts(text: str) -> None:
    found = find([text])
    assert all(is_creditor_reference(creditor_reference(each)) for each in found.structured)
    assert len(found.all) == len(set(found.all))


def test_several_are_found_once_each() -> None:
    one, two = creditor_reference("7K3M9QZXABCD"), creditor_reference("2HN8WV4T6PYE")
    found = find([f"{one} und {grouped(two)}", f"noch einmal {one}"])
    assert found.structured == ("7K3M9QZXABCD", "2HN8WV4T6PYE")


def test_letters_that_are_none_of_ours_are_read_as_what_they_look_like() -> None:
    reference = creditor_reference("70319QZXABCD").replace("70319", "7O3L9")
    found = find([reference])
    assert (found.structured, found.mistyped) == ((), ("70319QZXABCD",))


def test_without_right_check_digits_it_is_weaker() -> None:
    assert find(["7k3m-9qzx-abcd"]).bare == ("7K3M9QZXABCD",)
    wrong = find(["RF00 7K3M 9QZX ABCD"])
    assert (wrong.structured, "7K3M9QZXABCD" in wrong.bare) == ((), True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Zahlung INV-2026-00001", "INV-2026-00001"),
        ("inv 2026 1", "INV-2026-00001"),
        ("INV202600001", "INV-2026-00001"),
        ("INV/2026/00001.", "INV-2026-00001"),
        ("RG-42", "RG-00042"),
    ],
)
def test_numbers_are_found(text: str, number: str) -> None:
    assert find_numbers([text], {"INV": 5, "RG": 5}) == (number,)


@pytest.mark.parametrize("text", ["XINV-2026-00001", "2026-00001", "INV", "INVOICE 12", ""])
def test_what_is_no_number(text: str) -> None:
    assert find_numbers([text], {"INV": 5}) == ()
