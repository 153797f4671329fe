"""What the go-between tells of users: each callback judged by itself, alone or among many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.models import Account
from tallystick.api.describing import described
from tallystick.api.invoice_ninja import examples, finding, inputs, shapes
from tallystick.api.invoice_ninja.doors import NinjaResource
from tallystick.api.problem_kinds import KINDS
from tallystick.api.problems import Problem
from tallystick.integrations.invoice_ninja import callbacks
from tallystick.integrations.invoice_ninja.callbacks import Callback, Effect
from tallystick.integrations.invoice_ninja.people import Person
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.ports.traffic import said as fit_to_show

TAG = "invoice ninja"
NO_PRODUCT = "There is no such product at the websites that this is for."


class ClientCreated(NinjaResource):
    is_for_staff = False

    @described(
        "invoice_ninja_client_created",
        "Say what became of a user",
        takes=inputs.ClientCreated,
        answers=shapes.UserChanged,
        example=examples.CLIENT_CREATED,
        tag=TAG,
        says="By the service that was sent the user. A repeat changes nothing.",
    )
    def post(self, request: Request) -> Response:
        told = inputs.read(inputs.ClientCreated, request.data)
        user_id = told.validated_data["django_user_id"]
        connections = self.connections()
        _put_away_the_departed(connections, told)
        effect = judged(finding.marked(connections, [user_id]), told)
        person = finding.people(connections, [user_id]).get(user_id)
        if person is None:  # gone in this moment
            raise Problem("not_found", finding.NO_USER)
        shape = shapes.user(person, person.link(told.callback().delivery_id))
        return Response(shape | {"changed": effect != Effect.NOTHING})


class ProductCreated(NinjaResource):
    is_for_staff = False

    @described(
        "invoice_ninja_product_created",
        "Say what became of a product",
        takes=inputs.ProductCreated,
        answers=shapes.ProductChanged,
        example=examples.PRODUCT_CREATED,
        tag=TAG,
        says="As client-created. The product is named by its id, its key, or both.",
    )
    def post(self, request: Request) -> Response:
        told = inputs.read(inputs.ProductCreated, request.data)
        said = told.validated_data
        try:
            link = callbacks.of_product(
                self.connections(),
                key=said.get("key") or "",
                product_id=said.get("django_product_id") or "",
                delivery_id=said.get("delivery_id") or "",
            )
        except callbacks.Unknown:
            raise Problem("not_found", NO_PRODUCT) from None
        effect = _settled(link, told.callback(), "invoice_ninja_product_id", NO_PRODUCT)
        link = Link.objects.select_related("connection").get(pk=link.pk)
        return Response(shapes.product(link) | {"changed": effect != Effect.NOTHING})


def _put_away_the_departed(connections: list[Any], told: Any) -> None:  # noqa: ANN401
    """A user who was deleted before the callback is answered 404, and yet the client that was made
    of them has to be put away: known by its key, where the service echoes it."""
    key = told.validated_data.get("key")
    links = Link.objects.filter(connection__in=connections, kind=Kind.CUSTOMER.value, key=key or "")
    for link in links.exclude(local_id__in=_accounts(links)):
        with suppress(callbacks.Conflict):
            callbacks.settle(link, told.callback())


def _accounts(links: Any) -> list[str]:  # noqa: ANN401 - a query set of links
    ids = [
        local_id for local_id in links.values_list("local_id", flat=True) if local_id.isdecimal()
    ]
    there = Account.objects.everywhere().filter(pk__in=ids).values_list("pk", flat=True)
    return [str(pk) for pk in there]


def judged(persons: Mapping[Any, Person], told: Any) -> Effect:  # noqa: ANN401 - a serializer
    """Settle what `told`, which is valid, says of one of `persons`. Raises `Problem` or
    `ValidationError`."""
    said, callback = told.validated_data, told.callback()
    person = persons.get(said["django_user_id"])
    link = person.link(callback.delivery_id) if person else None
    if link is None:
        raise Problem("not_found", finding.NO_USER, "/django_user_id")
    if said.get("key") and said["key"] != link.key:
        words = "That is not the key of this user."
        raise ValidationError({"key": [ErrorDetail(words, "other_key")]})
    return _settled(link, callback, "invoice_ninja_client_id", finding.NO_USER)


def results(found: Iterable[object], connections: list[Any]) -> Mapping[str, Any]:
    """What became of many callbacks: counted, and those that are no success listed."""
    read = [_read(item) for item in found]
    ids = {each.validated_data["django_user_id"] for each in read if not isinstance(each, Mapping)}
    persons = finding.marked(connections, ids)
    answers = [each if isinstance(each, Mapping) else _answer(persons, each) for each in read]
    errors = [
        {"index": index, "django_user_id": _shown(item), **answer}
        for index, (item, answer) in enumerate(zip(found, answers, strict=True))
        if answer
    ]
    return {
        "processed_count": len(answers),
        "success_count": len(answers) - len(errors),
        "error_count": len(errors),
        "errors": errors,
    }


def _read(item: object) -> Any:  # noqa: ANN401 - a serializer, or what is wrong
    try:
        return inputs.read(inputs.Result, item)
    except ValidationError as error:
        return inputs.fault(error)


def _answer(persons: Mapping[Any, Person], told: Any) -> Mapping[str, str]:  # noqa: ANN401
    """What is wrong; nothing after a success."""
    try:
        judged(persons, told)
    except Problem as error:
        words = error.detail or KINDS[error.code].help
        return {"field": error.pointer.lstrip("/"), "error": words}
    except ValidationError as error:
        return inputs.fault(error)
    callback = told.callback()
    if callback.success:
        return {}
    return {"field": "", "error": fit_to_show(callback.message) or callbacks.NO_REASON}


def _settled(link: Link, callback: Callback, id_name: str, unknown: str) -> Effect:
    try:
        return callbacks.settle(link, callback)
    except callbacks.Conflict as error:
        raise Problem("other_remote_id", str(error), f"/{id_name}") from None
    except callbacks.Unknown:
        raise Problem("not_found", unknown) from None


def _shown(item: object) -> Any:  # noqa: ANN401 - a number, a text or nothing
    """The id as it was sent, if it looks like one."""
    given = item.get("django_user_id") if isinstance(item, Mapping) else None
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    return given[:64] if isinstance(given, str) and given.isascii() else None
