"""Celery, where there is a broker: it carries "this queue has work" between hosts, nothing else.

A message lost is made up for by the next tick, one too many finds nothing to do. So messages are
short-lived, not kept on disk, and never retried.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.settings")

TICK_SECONDS = 2.0
SLICE_SECONDS = 1.0
"""What one message may work before the next has its turn."""
HOPS = 2
"""A drain that leaves work behind passes its turn on so often. As ticks start anew every two
seconds, one of them keeps one process busy; and messages do not multiply."""
NETWORK_SECONDS = 0.1
"""What a web request waits for each step towards the broker."""

app = Celery("tallystick")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_delivery_mode="transient",
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_ignore_result=True,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_soft_shutdown_timeout=7.0,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=NETWORK_SECONDS,
    broker_transport_options={
        # Redis has these two, AMQP the others; each ignores what it does not know.
        "socket_timeout": NETWORK_SECONDS,
        "socket_connect_timeout": NETWORK_SECONDS,
        "read_timeout": NETWORK_SECONDS,
        "write_timeout": NETWORK_SECONDS,
        "max_retries": 0,
    },
)


@app.task(name="tallystick.drain")  # type: ignore[untyped-decorator] # Celery has no types
def drain(name: str, hops: int = HOPS) -> None:
    """Work a queue off for a second; pass the turn on when that was not enough."""
    from tallystick.queue.turns import take_turn

    if take_turn(name, seconds=SLICE_SECONDS) and hops > 0:
        send_drain(name, hops - 1)


@app.task(name="tallystick.tick")  # type: ignore[untyped-decorator] # as above
def tick(hops: int = HOPS) -> None:
    """Wake the queues that have work: what wake() did not reach, and what has become due."""
    from tallystick.queue.turns import names_with_work

    for name in names_with_work():
        send_drain(name, hops)


def send_drain(name: str, hops: int = HOPS) -> None:
    """Tell one worker to drain queue `name`. Raises what the transport raises."""
    drain.apply_async((name, hops), expires=3 * TICK_SECONDS, retry=False)


def work(concurrency: int) -> None:
    """Be a worker until told to stop, with the ticks embedded; ends the process."""
    # A worker may wait longer for its broker than a web request.
    app.conf.broker_connection_timeout = 4
    app.conf.broker_transport_options = {"socket_connect_timeout": 4, "socket_timeout": 20}
    app.conf.beat_schedule = {
        "tick": {
            "task": tick.name,
            "schedule": TICK_SECONDS,
            "args": (HOPS * concurrency,),
            "options": {"expires": TICK_SECONDS},
        }
    }
    options = ["--concurrency", str(concurrency), "--loglevel", "WARNING"]
    # In memory: a tick missed over a restart is the next tick.
    ticking = ["--beat", "--scheduler", "celery.beat:Scheduler"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.start(["--quiet", "worker", *options, *ticking, *quiet])


@worker_process_shutdown.connect  # type: ignore[untyped-decorator] # as above
def finish(**_: object) -> None:
    """A worker's process ends: wait for what its queues have going on."""
    from tallystick.queue.registry import registered

    for queue in registered():
        queue.finish()
