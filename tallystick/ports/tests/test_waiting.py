from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tallystick.kit import clock
from tallystick.ports.waiting import LONGEST, retry_after

NOON = "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 17 "}, 17),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86399"}, 86_399),
        ({"retry-after": "9" * 300}, LONGEST),
        ({"retry-after": NOON}, 300),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Thu, 01 Jan 2026 13:00:00 GMT", "date": NOON}, 3600),
        ({"retry-after": "Thu, 01 Jan 2026 14:00:00 +0200"}, 300),
        ({"retry-after": "Thu, 01 Jan 9999 12:00:00 GMT"}, LONGEST),
        ({"retry-after": "Thu, 41 Jan 2026 12:00:00 GMT"}, None),
        ({"retry-after": NOON, "date": "yesterday"}, 300),
    ],
    ids=str,
)
def test_how_long(headers: dict[str, str], seconds: float | None) -> None:
    with clock.use(clock.VirtualClock(datetime(2026, 1, 1, 11, 55, tzinfo=UTC))):
        assert retry_after(headers) == seconds
