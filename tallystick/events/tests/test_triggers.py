from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from tallystick import events
from tallystick.accounts.websites import Website
from tallystick.events.chain import seal
from tallystick.events.models import Event
from tallystick.events.triggers import COLUMNS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guarded")]

VALUES = {"id": "id + 1", "website_id": "NULL", "at": "'2020-01-01 00:00:00'"}


def refused(statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seal_too", [False, True])
def test_the_database_lets_nobody_change_an_event(
    website: Website, column: str, seal_too: bool
) -> None:
    events.record("a.b", website)
    sealing = ", seal_seq = 1, row_hash = 'x', seal_hash = 'x'" if seal_too else ""
    value = VALUES.get(column, "'forged'")
    refused(f"UPDATE events_event SET {column} = {value}{sealing}")  # noqa: S608


def test_it_lets_nobody_seal_twice(website: Website) -> None:
    events.record("a.b", website)
    assert seal() == 1
    refused("UPDATE events_event SET seal_hash = 'forged'")
    refused("UPDATE events_event SET seal_seq = NULL")
    refused("UPDATE events_event SET seal_seq = 2")


def test_it_lets_nobody_delete(website: Website) -> None:
    events.record("a.b", website)
    refused("DELETE FROM events_event")
    assert Event.objects.everywhere().count() == 1


def test_every_column_is_guarded() -> None:
    columns = {field.column for field in Event._meta.concrete_fields}
    assert columns - set(COLUMNS) == {"seal_seq", "row_hash", "seal_hash"}
