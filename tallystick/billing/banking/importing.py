"""Importing a statement: all of the file or nothing, each line once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from tallystick.accounts.models import Website
from tallystick.billing import locks
from tallystick.billing.banking import camt, csv_files, readings, tables
from tallystick.billing.banking.columns import Columns
from tallystick.billing.banking.errors import NoStatement, OtherAccount
from tallystick.billing.banking.formats import digest, known_columns
from tallystick.billing.banking.matching import match_all
from tallystick.billing.banking.readings import Line, Reading
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.events import record
from tallystick.kit import spelling

if TYPE_CHECKING:
    from tallystick.people.models import User

_AT_ONCE = 500
_FEWEST_DIGITS = 6

Tell = Callable[[str, int, int], None]
"""What is being done, how far, of how many."""


class How(TypedDict, total=False):
    """`columns` is how to read a table that is not known yet; `other_account`: somebody said that the
    account is theirs, too. Lines are matched for `seconds` at most: `match_all` does the rest."""

    columns: Columns | None
    other_account: bool
    seconds: float | None
    tell: Tell


def import_statement(
    website: Website,
    data: bytes,
    *,
    name: str = "",
    by: User | None = None,
    **how: Unpack[How],
) -> BankStatement:
    """Keep what `data` says and match its lines. The same file a second time is the first statement.

    Raises `StatementError`; then nothing was imported."""
    tell = how.get("tell", _silent)
    found = read_statement(website, data, columns=how.get("columns"))
    other = how.get("other_account", False)
    accounts = [_account(website, each, other_account=other) for each in found]
    statement = BankStatement(website=website, name=name[:200], digest=digest(data), created_by=by)
    statement.take(found, accounts)
    statement = _stored(statement, found, accounts, tell)
    match_all(
        website,
        statement=statement,
        seconds=how.get("seconds"),
        tell=lambda done: tell("matched", done, statement.lines_new),
    )
    return statement


def check_statement(website: Website, data: bytes) -> None:
    """Raises what importing `data` would, and does nothing."""
    for reading in read_statement(website, data):
        _account(website, reading, other_account=False)


def _silent(what: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def _stored(
    statement: BankStatement, found: Sequence[Reading], accounts: Sequence[str], tell: Tell
) -> BankStatement:
    """It, or the earlier one of the same file. One import of a website at a time: two that overlap
    would each see a line as new."""
    with transaction.atomic():
        locks.for_update(Website.objects.filter(pk=statement.website_id)).get()
        if earlier := _earlier(statement):
            return earlier
        _store(statement, found, accounts, tell)
    return statement


def read_statement(
    website: Website, data: bytes, *, columns: Columns | None = None
) -> list[Reading]:
    """What `data` says, without keeping it. Raises `StatementError`."""
    readings.check_size(data)
    if camt.is_xml(data):
        return camt.read(data)
    if data.startswith(b"PK\x03\x04"):
        raise NoStatement(_("This is a ZIP file. Unpack it and import its files one by one."))
    if data.startswith(b"%PDF"):
        raise NoStatement(_("This is a PDF. Ask the bank for the statement as CAMT.053 or CSV."))
    table = tables.read(data)
    how = columns or known_columns(website, table)
    return [csv_files.read(table, how, currency=website.currency)]


def _earlier(statement: BankStatement) -> BankStatement | None:
    ours = BankStatement.objects.of(statement.website_id)
    return ours.filter(digest=statement.digest).first()


def _account(website: Website, reading: Reading, *, other_account: bool) -> str:
    """The account that the lines are of. A file that names none is of the website's. Raises
    `OtherAccount`."""
    own = readings.account(website.iban)
    stated = reading.account
    if not stated or stated == own or other_account:
        return stated or own
    # Banks outside the IBAN's world, and some tables, name the national number alone.
    if len(stated) >= _FEWEST_DIGITS and stated.isdigit() and own.endswith(stated):
        return own
    if not own:
        raise OtherAccount(
            _(
                "The statement is of %(iban)s, and %(website)s has no bank account yet. Enter its IBAN "
                "in the website's settings, or confirm that this account is yours."
            )
            % {"iban": spelling.iban(stated), "website": website.name},
            iban=stated,
        )
    raise OtherAccount(
        _(
            "The statement is of %(iban)s, the account of %(website)s is %(own)s. Choose the right "
            "website, or confirm that this account is yours, too."
        )
        % {
            "iban": spelling.iban(stated),
            "website": website.name,
            "own": spelling.iban(own),
        },
        iban=stated,
    )


def _store(
    statement: BankStatement, found: Sequence[Reading], accounts: Sequence[str], tell: Tell
) -> None:
    statement.save(force_insert=True)
    total = sum(len(reading.lines) for reading in found)
    position = new = 0
    for reading, account in zip(found, accounts, strict=True):
        named = list(zip(reading.lines, readings.identities(reading.lines), strict=True))
        for some in _chunks(named):
            new += _add(statement, account, some, position)
            position += len(some)
            tell("read", position, total)
    statement.lines_new, statement.lines_known = new, total - new
    statement.save(update_fields=["lines_new", "lines_known"])
    record(
        "bank.statement_imported",
        statement,
        change={"format": statement.format, "lines": new, "known": total - new},
    )


def _add(
    statement: BankStatement, account: str, some: Sequence[tuple[Line, str]], position: int
) -> int:
    """Store those that no earlier statement held; returns how many."""
    ours = BankTransaction.objects.of(statement.website_id).filter(account=account)
    known = set(
        ours.filter(identity__in=[identity for _line, identity in some]).values_list(
            "identity", flat=True
        )
    )
    fresh = [
        _row(statement, account, line, identity, position + number)
        for number, (line, identity) in enumerate(some, 1)
        if identity not in known
    ]
    _see_doubles(statement, fresh)
    BankTransaction.objects.bulk_create(fresh)
    return len(fresh)


def _row(
    statement: BankStatement, account: str, line: Line, identity: str, position: int
) -> BankTransaction:
    return BankTransaction(
        website_id=statement.website_id,
        statement=statement,
        position=position,
        account=account,
        identity=identity,
        booked_on=line.booked_on,
        value_on=line.value_on,
        amount=line.amount,
        currency=line.currency,
        original=line.original,
        name=line.name,
        iban=line.iban,
        text=line.text,
        structured=line.structured,
        reference=line.reference,
        end_to_end=line.end_to_end,
        is_reversal=line.is_reversal,
        return_reason=line.return_reason,
        whole_batch=line.whole_batch,
    )


def _see_doubles(statement: BankStatement, rows: Sequence[BankTransaction]) -> None:
    """A file of another format names lines otherwise: what has the day and the amount of one that is
    here already may be the same movement, each at most once."""
    if not rows:
        return
    others = BankTransaction.objects.of(statement.website_id).filter(
        account=rows[0].account,
        booked_on__in={row.booked_on for row in rows},
        amount__in={row.amount for row in rows},
    )
    taken = others.model.objects.of(statement.website_id).filter(double_of__isnull=False)
    others = others.exclude(pk__in=taken.values("double_of"))
    here: dict[tuple[object, ...], list[BankTransaction]] = {}
    for other in others.exclude(statement__format=statement.format).order_by("pk"):
        here.setdefault((other.booked_on, other.amount, other.currency), []).append(other)
    for row in rows:
        if same := here.get((row.booked_on, row.amount, row.currency)):
            row.double_of = same.pop(0)


def _chunks(
    lines: Sequence[tuple[Line, str]],
) -> Iterator[Sequence[tuple[Line, str]]]:
    for start in range(0, len(lines), _AT_ONCE):
        yield lines[start : start + _AT_ONCE]
