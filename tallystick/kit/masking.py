"""Keeps payment links out of the logs: whoever reads a log must not be able to open what it names."""

from __future__ import annotations

import logging
import re

# Also of a link that was cut short: what is left of its secret narrows down the rest.
_TOKEN = re.compile(r"(INV-[0-9A-Z]{12})-[A-Za-z0-9_-]{8,}", re.IGNORECASE)


class MaskTokens(logging.Filter):
    """Leaves the reference of a payment token and hides its secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = _TOKEN.sub(r"\1-***", message)
        if masked != message:
            record.msg, record.args = masked, None
        return True
