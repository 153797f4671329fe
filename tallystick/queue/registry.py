"""The queues there are: each says whether it has work, and works it off within a budget."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model, QuerySet

from tallystick.kit import clock

if TYPE_CHECKING:
    from tallystick.queue.rows import QueueRow


@dataclass
class Budget:
    """How much of a worker's time a queue may have before the others get their turn."""

    seconds: float = 5.0
    rows: int | None = None
    stopping: Callable[[], bool] = lambda: False
    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._until = clock.ticking() + self.seconds

    @property
    def spent(self) -> bool:
        """Whether to stop: asked before each piece of work."""
        return self.left == 0 or self.stopping() or clock.ticking() >= self._until

    @property
    def left(self) -> int:
        """How many rows more; a large number where that is not limited."""
        return max((self.rows if self.rows is not None else 1 << 30) - self.done, 0)


@dataclass(frozen=True)
class Queue:
    """`has_work` answers yes or no, or with the query of what is due: the worker then asks all its
    queues in one statement. `drain` works until nothing is due or the budget is spent, and returns
    how many pieces it did. `finish` waits for what goes on when `drain` has returned."""

    name: str
    has_work: Callable[[], bool | QuerySet[Model, object]]
    drain: Callable[[Budget], int]
    finish: Callable[[], None] = lambda: None


class UnknownQueue(LookupError):
    """No queue has this name."""


Row = TypeVar("Row", bound="QueueRow")
_queues: dict[str, Queue] = {}


def register(queue: Queue) -> Queue:
    """Put `queue` among those that workers drain; a second of the same name replaces the first."""
    _queues[queue.name] = queue
    return queue


def register_rows(
    name: str,
    model: type[Row],
    perform: Callable[[Row], object],
    *,
    batch: int = 20,
    threads: int = 0,
) -> Queue:
    """Queue `model`'s rows: `perform` is called with each that is due.

    What it leaves unsettled when it returns is complete; when it raises, the row is tried again
    later with the reason kept. It may be called again for a row after a crash.

    With `threads`, for what waits for the network: rows are performed by so many of them, and the
    other queues go on meanwhile.
    """
    from tallystick.queue.crew import Crew
    from tallystick.queue.drain import RowDrain

    drain = RowDrain(model, perform, batch)
    if not threads:
        return register(Queue(name, model.due, drain))
    crew = Crew(lambda: model.due().order_by("due_at"), drain.one, width=threads)
    return register(Queue(name, crew.has_work, crew.drain, crew.finish))


def registered(names: Collection[str] = ()) -> tuple[Queue, ...]:
    """The queues of these names, or all."""
    return tuple(map(named, names)) if names else tuple(_queues.values())


def named(name: str) -> Queue:
    try:
        return _queues[name]
    except KeyError:
        raise UnknownQueue(name) from None
