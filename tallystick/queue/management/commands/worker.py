from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tallystick.queue.models import Schedule
from tallystick.queue.registry import Queue, UnknownQueue, registered
from tallystick.queue.stopping import Stop
from tallystick.queue.supervisor import Supervisor
from tallystick.queue.worker import Worker


class Command(BaseCommand):
    help = "Work the queues off. With CELERY_BROKER_URL set, as a Celery worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default="", help="only these, comma-separated")
        parser.add_argument("--concurrency", type=_count, default=1, help="processes (default 1)")
        parser.add_argument(
            "--once", "--burst", action="store_true", help="do all that is due, and end"
        )

    def handle(self, *, queues: str, concurrency: int, once: bool, **_: object) -> None:
        chosen = _chosen(queues)
        if settings.CELERY_BROKER_URL and not queues and not once:
            self._work_on_celery(concurrency)
            return
        self.stdout.write(f"worker: {', '.join(queue.name for queue in chosen)}")
        if concurrency > 1 and not once:
            Supervisor(chosen, concurrency).run()
        else:
            stop = Stop()
            with stop.on_signals():
                Worker(chosen, stop).run(once=once)
        self.stdout.write("worker: stopped")

    def _work_on_celery(self, concurrency: int) -> None:
        # SIGTERM is to end the worker in bounded time; Celery reads this when it is imported.
        os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
        from tallystick import celery

        Schedule.register()
        self.stdout.write(f"worker: on Celery, {concurrency} at a time")
        self.stdout.flush()
        celery.work(concurrency)


def _chosen(names: str) -> tuple[Queue, ...]:
    try:
        return registered([name.strip() for name in names.split(",") if name.strip()])
    except UnknownQueue as error:
        known = ", ".join(queue.name for queue in registered())
        raise CommandError(f"There is no queue {error}; there are: {known}.") from None


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:  # noqa: PLR2004
        raise ArgumentTypeError("is not a number from 1 to 64")
    return int(text)
