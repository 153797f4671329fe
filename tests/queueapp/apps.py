from __future__ import annotations

import os

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from tallystick.billing import triggers


class QueueAppConfig(AppConfig):
    name = "tests.queueapp"

    def ready(self) -> None:
        from tallystick.queue import register_rows
        from tests.queueapp import controls, jobs
        from tests.queueapp.models import Job

        Job.lease_seconds = float(os.environ.get("QUEUEAPP_LEASE_SECONDS", Job.lease_seconds))
        register_rows("jobs", Job, jobs.perform)
        controls.apply()
        post_migrate.connect(_let_tables_be_emptied, sender=self)


def _let_tables_be_emptied(*, using: str, **_: object) -> None:
    """Tests that commit empty all tables afterwards; on SQLite that is a DELETE of each row. What
    the migration puts there is put back."""
    from tallystick.events import chain

    chain.begin(using=using)
    if connections[using].vendor == "sqlite":
        with connections[using].cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS events_event_refuse_delete")
        triggers.let_go(connections[using])
