"""The database's own refusal: events are neither changed nor deleted, whoever asks.

Only the columns of the seal are set, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

COLUMNS = (
    "id", "website_id", "kind", "subject_type", "subject_id", "actor_kind", "actor_id",
    "actor_label", "address", "at", "change",
)  # fmt: skip


def _changed(operator: str) -> str:
    return " OR ".join(f"OLD.{name} {operator} NEW.{name}" for name in COLUMNS)


_POSTGRESQL = {
    "create": [
        f"""
        CREATE FUNCTION events_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.seal_seq IS NULL AND NEW.seal_seq IS NOT NULL
               AND NOT ({_changed("IS DISTINCT FROM")}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER events_event_refuse BEFORE UPDATE OR DELETE ON events_event
        FOR EACH ROW EXECUTE FUNCTION events_event_refuse()
        """,
    ],
    "drop": [
        "DROP TRIGGER IF EXISTS events_event_refuse ON events_event",
        "DROP FUNCTION IF EXISTS events_event_refuse()",
    ],
}
_SQLITE = {
    "create": [
        f"""
        CREATE TRIGGER events_event_refuse_update BEFORE UPDATE ON events_event
        WHEN OLD.seal_seq IS NOT NULL OR NEW.seal_seq IS NULL OR {_changed("IS NOT")}
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        """
        CREATE TRIGGER events_event_refuse_delete BEFORE DELETE ON events_event
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
    ],
    "drop": [
        "DROP TRIGGER IF EXISTS events_event_refuse_update",
        "DROP TRIGGER IF EXISTS events_event_refuse_delete",
    ],
}
_BY_VENDOR = {"postgresql": _POSTGRESQL, "sqlite": _SQLITE}


def create(connection: BaseDatabaseWrapper) -> None:
    """Anew where they exist: rebuilding a table, as migrations do on SQLite, drops its triggers."""
    drop(connection)
    _run(connection, "create")


def drop(connection: BaseDatabaseWrapper) -> None:
    _run(connection, "drop")


def migrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    create(schema_editor.connection)


def unmigrate(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    del apps
    drop(schema_editor.connection)


def _run(connection: BaseDatabaseWrapper, step: str) -> None:
    with connection.cursor() as cursor:
        for statement in _BY_VENDOR[connection.vendor][step]:
            cursor.execute(statement)
