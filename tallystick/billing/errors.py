"""What every refusal of billing has in common. Each error lives beside the verb that raises it."""

from __future__ import annotations

import re


class BillingError(Exception):
    """Billing refused: the message is for the person who asked, in one or two sentences.

    The docstring of a subclass is its message, unless a better one is passed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))

    @property
    def code(self) -> str:
        """The word for it that programs can rely on: `NotADraft` is `not_a_draft`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
