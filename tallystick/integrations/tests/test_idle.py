"""A worker with nothing to do leaves connections alone."""

from __future__ import annotations

from django.test import Client

from tallystick.integrations.connections import Connection
from tallystick.integrations.tests.conftest import ORGANISATION, Site
from tallystick.queue.registry import registered
from tallystick.queue.stopping import Stop
from tallystick.queue.worker import Worker


def test_news_of_a_contact_has_no_connection_served(site: Site, client: Client) -> None:
    account = site.customer()
    site.serve()
    fields = {"FirstName": "Annabel"}
    site.stand.edit_contact(account.customer_key, fields, organisation=ORGANISATION)
    (out,) = site.stand.pending_deliveries(ORGANISATION)
    sent = client.post(
        "/billing/xero/webhooks/", out.body, content_type="application/json",
        headers={"x-xero-signature": out.headers["x-xero-signature"]},
    )  # fmt: skip
    assert sent.status_code == 200
    before = Connection.objects.everywhere().values_list("fence", "served_at").get()
    worker = Worker(registered(["inbox", "connections"]), Stop())
    assert worker.round(), "the inbox has the news"
    assert [worker.round() for _ in range(3)] == [False] * 3
    assert Connection.objects.everywhere().values_list("fence", "served_at").get() == before
