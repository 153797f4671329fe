"""What the go-between tells of users: each callback judged by itself, alone or among many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
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
from tallystick.integrations.invoice_ninja import callbacks, settling
from tallystick.integrations.invoice_ninja.callbacks import Callback, Conflict, Effect, Unknown
from tallystick.integrations.invoice_ninja.people import Person, people
from tallystick.integrations.invoice_ninja.settling import Outcome
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.ports.traffic import said as fit_to_show

TAG = "invoice ninja"
NO_PRODUCT = "There is no such product at the websites that this is for."


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of one user, and is valid."""

    user_id: Any
    key: str
    callback: Callback

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Told:
        callback = inputs.ClientCreated.callback(said)
        return cls(said["django_user_id"], said.get("key") or "", callback)


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
        told = Told.of(inputs.read(inputs.ClientCreated, request.data).validated_data)
        connections = self.connections()
        _put_away_the_departed(connections, [told])
        link = _named(finding.marked(connections, [told.user_id]), told)
        (outcome,) = settling.settle_all([(link, told.callback)])
        effect = _effect(outcome, inputs.ClientCreated.id_name, finding.NO_USER)
        person = people(connections, [told.user_id]).get(told.user_id)
        if person is None:  # gone in this moment
            raise Problem("not_found", finding.NO_USER)
        shape = shapes.user(person, person.link(told.callback.delivery_id))
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
        said = inputs.read(inputs.ProductCreated, request.data).validated_data
        try:
            link = callbacks.of_product(
                self.connections(),
                key=said.get("key") or "",
                product_id=said.get("django_product_id") or "",
                delivery_id=said.get("delivery_id") or "",
            )
        except callbacks.Unknown:
            raise Problem("not_found", NO_PRODUCT) from None
        (outcome,) = settling.settle_all([(link, inputs.ProductCreated.callback(said))])
        effect = _effect(outcome, inputs.ProductCreated.id_name, NO_PRODUCT)
        link = Link.objects.select_related("connection").get(pk=link.pk)
        return Response(shapes.product(link) | {"changed": effect != Effect.NOTHING})


def _put_away_the_departed(connections: list[Any], told: Sequence[Told]) -> None:
    """A user who was deleted before the callback is answered 404, and yet the client that was made
    of them has to be put away: known by its key, where the service echoes it."""
    keys = {each.key for each in told if each.key}
    found = Link.objects.filter(connection__in=connections, kind=Kind.CUSTOMER.value, key__in=keys)
    links = list(found) if keys else []
    there = _accounts(links)
    settling.settle_all(
        [
            (link, each.callback)
            for each in told
            for link in links
            if link.key == each.key and link.local_id not in there
        ]
    )


def _accounts(links: Sequence[Link]) -> set[str]:
    ids = [link.local_id for link in links if link.local_id.isdecimal()]
    there = Account.objects.everywhere().filter(pk__in=ids).values_list("pk", flat=True)
    return {str(pk) for pk in there}


def _named(persons: Mapping[Any, Person], told: Told) -> Link:
    """Whom `told` is about: one of `persons`. Raises `Problem` or `ValidationError`."""
    person = persons.get(told.user_id)
    link = person.link(told.callback.delivery_id) if person else None
    if link is None:
        raise Problem("not_found", finding.NO_USER, "/django_user_id")
    if told.key and told.key != link.key:
        words = "That is not the key of this user."
        raise ValidationError({"key": [ErrorDetail(words, "other_key")]})
    return link


def results(found: Iterable[object], connections: list[Any]) -> Mapping[str, Any]:
    """What became of many callbacks: counted, and those that are no success listed."""
    items, errors, index = iter(found), [], 0
    while page := list(islice(items, settling.PAGE)):
        for item, answer in zip(page, _answers(page, connections), strict=True):
            if answer:
                errors.append({"index": index, "django_user_id": _shown(item), **answer})
            index += 1
    return {
        "processed_count": index,
        "success_count": index - len(errors),
        "error_count": len(errors),
        "errors": errors,
    }


def _answers(page: Sequence[object], connections: list[Any]) -> list[Mapping[str, str]]:
    """What is wrong with each; nothing where it is a success."""
    answers: list[Mapping[str, str]] = [{}] * len(page)
    valid: dict[int, Told] = {}
    for index, said in enumerate(inputs.read_each(inputs.Result, page)):
        if isinstance(said, ValidationError):
            answers[index] = _fault(said)
        else:
            valid[index] = Told.of(said)
    _put_away_the_departed(connections, list(valid.values()))
    persons = finding.marked(connections, {told.user_id for told in valid.values()})
    named: dict[int, Link] = {}
    for index, told in valid.items():
        try:
            named[index] = _named(persons, told)
        except (Problem, ValidationError) as error:
            answers[index] = _fault(error)
    pairs = [(link, valid[index].callback) for index, link in named.items()]
    for index, outcome in zip(named, settling.settle_all(pairs), strict=True):
        answers[index] = _answer(outcome, valid[index].callback)
    return answers


def _answer(outcome: Outcome, callback: Callback) -> Mapping[str, str]:
    """What is wrong; nothing after a success."""
    try:
        _effect(outcome, inputs.Result.id_name, finding.NO_USER)
    except Problem as error:
        return _fault(error)
    if callback.success:
        return {}
    return {"field": "", "error": fit_to_show(callback.message) or settling.NO_REASON}


def _fault(error: Problem | ValidationError) -> Mapping[str, str]:
    if isinstance(error, ValidationError):
        return inputs.fault(error)
    return {"field": error.pointer.lstrip("/"), "error": error.detail or KINDS[error.code].help}


def _effect(outcome: Outcome, id_name: str, unknown: str) -> Effect:
    """Raises `Problem` where it has none."""
    if isinstance(outcome, Conflict):
        raise Problem("other_remote_id", str(outcome), f"/{id_name}")
    if isinstance(outcome, Unknown):
        raise Problem("not_found", unknown)
    return outcome


def _shown(item: object) -> Any:  # noqa: ANN401 - a number, a text or nothing
    """The id as it was sent, if it looks like one."""
    given = item.get("django_user_id") if isinstance(item, Mapping) else None
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    return given[:64] if isinstance(given, str) and given.isascii() else None
