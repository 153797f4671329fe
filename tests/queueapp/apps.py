from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class QueueAppConfig(AppConfig):
    name = "tests.queueapp"

    def ready(self) -> None:
        post_migrate.connect(_let_the_journal_be_emptied, sender=self)


def _let_the_journal_be_emptied(*, using: str, **_: object) -> None:
    """Tests that commit empty all tables afterwards; on SQLite that is a DELETE of each row."""
    from django.db import connections

    if connections[using].vendor == "sqlite":
        with connections[using].cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS events_event_refuse_delete")
