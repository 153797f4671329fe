"""A queue's turn: ask which have work, and drain one for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import Error, connection
from django.db.models import Model, QuerySet

from tallystick.queue.reasons import place_of, reason_of
from tallystick.queue.registry import Budget, Queue, named, registered

logger = logging.getLogger(__name__)


def with_work(queues: Iterable[Queue]) -> list[Queue]:
    """Those that have something due, asked in one statement where they can be."""
    answers = {queue.name: queue.has_work() for queue in queues}
    queries = {name: each for name, each in answers.items() if isinstance(each, QuerySet)}
    found = {name for name, each in answers.items() if each is True}
    found.update(_not_empty(queries))
    return [queue for queue in queues if queue.name in found]


def names_with_work() -> list[str]:
    return [queue.name for queue in with_work(registered())]


def take_turn(name: str, seconds: float) -> bool:
    """Drain the queue for so long; answers whether it used its time up."""
    budget = Budget(seconds=seconds)
    drain(named(name), budget)
    return budget.spent


def drain(queue: Queue, budget: Budget) -> int:
    """Drain `queue`; whatever its jobs raise is told to the log. Raises when the database is gone."""
    try:
        return queue.drain(budget)
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - one broken queue does not stop the others
        logger.error("queue %s: %s (%s)", queue.name, reason_of(error), place_of(error))  # noqa: TRY400 - its message may hold what a log must not
        return 0


def _not_empty(queries: Mapping[str, QuerySet[Model, Any]]) -> set[str]:
    """The names of the queries that have a row."""
    names, texts, values = [], [], []
    for name, query in queries.items():
        try:
            text, parameters = query.query.exists().get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            continue
        names.append(name)
        texts.append(f"EXISTS({text})")
        values.extend(parameters)
    if not names:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(texts)}", values)
        answers = cursor.fetchone()
    return {name for name, answer in zip(names, answers, strict=True) if answer}
