"""What can be wrong with a statement. Each message says what, and the way out.

* StatementError          nothing was imported
  * NoStatement           the file is none, or none that we read
  * BrokenFile            it is one, and cannot be read to its end
  * TooLarge              more than a statement holds
  * OtherAccount          it is of an account that is not the website's
  * UnknownColumns        a table whose columns somebody must name first
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.billing.errors import BillingError

if TYPE_CHECKING:
    from tallystick.billing.banking.tables import Table


class StatementError(BillingError):
    """The statement cannot be imported."""


class NoStatement(StatementError):
    """This is neither CAMT.053 nor CSV. Ask the bank for one of these two."""


class BrokenFile(StatementError):
    """The file breaks off or is damaged. Fetch it from the bank once more."""


class TooLarge(StatementError):
    """The file is larger than 10 MB. Fetch the statement in shorter periods."""


class OtherAccount(StatementError):
    """The statement is of another account than the website's."""

    def __init__(self, message: str = "", *, iban: str = "") -> None:
        super().__init__(message)
        self.iban = iban


class UnknownColumns(StatementError):
    """Say which column holds what: this bank's table is not known yet."""

    def __init__(self, message: str = "", *, table: Table | None = None) -> None:
        super().__init__(message)
        self.table = table
