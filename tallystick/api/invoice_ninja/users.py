"""How users stand, and trying them again: for the go-between and for staff."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.api import paging
from tallystick.api.describing import described
from tallystick.api.filters import Asked
from tallystick.api.invoice_ninja import examples, finding, inputs, shapes, told
from tallystick.api.invoice_ninja.doors import NinjaResource
from tallystick.api.problems import Problem
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja.people import of_users
from tallystick.integrations.invoice_ninja.states import SyncStatus, is_in, status_of
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.retrying import retry
from tallystick.queue.rows import State
from tallystick.queue.statements import OPEN

FORCE = "`force` tries again."
SYNCED = "Already synced; `force` sends it again."


class SyncStatusOf(NinjaResource):
    @described(
        "invoice_ninja_sync_status",
        "See how a user stands",
        answers=shapes.UserStatus,
        tag=told.TAG,
        says="Staff are told of those too who are not sent at all, as `pending`: without an "
        "account, or at a website that has no connection.",
    )
    def get(self, request: Request, user_id: str) -> Response:
        del request
        try:
            person = finding.user_named(self.connections(), user_id)
        except Problem:
            if self.relay is not None:
                raise
            return Response(shapes.unlinked(finding.unlinked(self.caller.standing, user_id)))
        return Response(shapes.user(person, person.link()))


class PendingUsers(NinjaResource):
    @described(
        "invoice_ninja_pending_users",
        "List users that are not in step yet",
        answers=shapes.UserStatus,
        asks=Asked,
        paged=True,
        tag=told.TAG,
        says="Those that are `pending` or `retry`, the newest first.",
    )
    def get(self, request: Request) -> Response:
        Asked.read(request)
        question = paging.Question(
            of_users(self.connections()).filter(state__in=OPEN),
            order=paging.BY_ID,
            binding=self.relay.name if self.relay else self.caller.name,
        )
        page = paging.page(request, question)
        ids = [row["pk"] for row in page.rows]
        links = Link.objects.filter(pk__in=ids).select_related("connection").order_by("-pk")
        users = [shapes.user(person, link) for person, link in finding.persons_of(list(links))]
        return Response(page.body(users))


class RetrySync(NinjaResource):
    @described(
        "invoice_ninja_retry_sync",
        "Send a user again now",
        takes=inputs.Retry,
        answers=shapes.UserStatus,
        example=examples.RETRY,
        tag=told.TAG,
        says="With all tries before it. One that is in step is sent again only with `force`.",
    )
    def post(self, request: Request, user_id: str) -> Response:
        force = inputs.read(inputs.Retry, request.data).validated_data["force"]
        connections = self.connections()
        person = finding.user_named(connections, user_id)
        link = person.link()
        if link is not None and status_of(link) == SyncStatus.SYNCED and not force:
            raise Problem("already_synced")
        with transaction.atomic():
            if link is None:
                link = finding.marked(connections, [person.user_id])[person.user_id].link()
                assert link is not None  # noqa: S101 - it has just been made
            left_out = link.state == State.DONE
            retry(Link.objects.filter(pk=link.pk), force=force or left_out)
        person = finding.user_named(connections, user_id)
        return Response(shapes.user(person, person.link()))


class BulkSync(NinjaResource):
    @described(
        "invoice_ninja_bulk_sync",
        "Say what became of many users, or send many again",
        takes=inputs.BULK,
        answers=shapes.BulkDone,
        example=examples.BULK,
        tag=told.TAG,
        says="`results` come from the service, each judged as in client-created. Staff send "
        "`user_ids` or a `status` instead. At most 1000.",
    )
    def post(self, request: Request) -> Response:
        if self.relay is None:
            return Response({"batch_id": None, **self._sent_again(request)})
        said = inputs.read(inputs.BulkResults, request.data).validated_data
        done = told.results(said["results"], self.connections())
        return Response({"batch_id": said.get("batch_id"), **done})

    def _sent_again(self, request: Request) -> dict[str, Any]:
        said = inputs.read(inputs.BulkRetry, request.data).validated_data
        connections = self.connections()
        user_ids: list[Any] = []
        errors: list[dict[str, Any]] = []
        with transaction.atomic():
            if "status" in said:
                links = of_users(connections).filter(is_in(said["status"]))
            else:
                user_ids = list(dict.fromkeys(said["user_ids"]))
                links, errors = _named(connections, user_ids, force=said["force"])
            count = retry(links, force=said["force"]).due
        return {
            "processed_count": len(user_ids) or count,
            "success_count": count,
            "error_count": len(errors),
            "errors": errors,
        }


def _named(
    connections: list[Connection], user_ids: list[Any], *, force: bool
) -> tuple[LinkQuerySet, list[dict[str, Any]]]:
    """The links of these users, and of whom there is none to send: with the reason."""
    found = finding.marked(connections, user_ids)
    links = {user_id: person.link() for user_id, person in found.items()}
    reasons = {user_id: _kept(links.get(user_id), force=force) for user_id in user_ids}
    errors = [
        {"index": index, "django_user_id": user_id, "field": "user_ids", "error": reasons[user_id]}
        for index, user_id in enumerate(user_ids)
        if reasons[user_id]
    ]
    chosen = [link.pk for user_id, link in links.items() if link and not reasons[user_id]]
    return Link.objects.filter(pk__in=chosen), errors


def _kept(link: Link | None, *, force: bool) -> str:
    """Why it is not made due; empty when it is."""
    if link is None:
        return finding.NO_USER
    if force or link.state != State.DONE:
        return ""
    return SYNCED if link.remote_id else f"{link.last_error} {FORCE}".lstrip()
