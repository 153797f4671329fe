"""A mail server that takes connections and says nothing: mail waits, nothing else does."""

from __future__ import annotations

import time

import pytest

from tallystick.billing.emails import Email
from tallystick.billing.tests import samples
from tallystick.queue.rows import State
from tallystick.queue.tests.brokers import deaf_address
from tallystick.queue.tests.processes import eventually, worker
from tests.queueapp.models import Job

MOST_SECONDS = 2.0


@pytest.mark.django_db(transaction=True)
def test_holds_up_no_other_queue() -> None:
    samples.invoice(samples.client(samples.studio()))
    assert Email.objects.filter(state=State.DUE).exists()
    with (
        deaf_address("silent") as (host, port),
        worker(EMAIL_URL=f"smtp://{host}:{port}"),
    ):
        eventually(Email.objects.exclude(lease_owner="").exists)
        job = Job.objects.create()
        began = time.monotonic()
        eventually(Job.objects.filter(pk=job.pk, state=State.DONE).exists)
        assert time.monotonic() - began < MOST_SECONDS
        assert Email.objects.filter(state=State.DUE, attempts=1).exists()
