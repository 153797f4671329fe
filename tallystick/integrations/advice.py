"""How a link stands, in words a person can act on: what is the matter, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tallystick.integrations import landing
from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.queue.rows import State


@dataclass(frozen=True, slots=True)
class Advice:
    """Two sentences; `for_us` says that nothing happens until a person acts."""

    what: str
    todo: str
    for_us: bool = False


def advice(link: Link) -> Advice:
    """What is the matter with `link`, whose connection is loaded. Asks the database nothing."""
    if link.difference:
        return _differing(link)
    if link.state == State.DONE:
        return _settled(link)
    return _held_up(link) or _by_state(link)


def _differing(link: Link) -> Advice:
    if not link.may_be_settled:
        return Advice(link.difference, _("Set it right on one of the two sides."), for_us=True)
    what = link.difference
    if link.state == State.DUE and link.last_error:
        what = _("It was changed there as well, and is not sent: %(why)s") % {"why": what}
    todo = _("Take theirs, or send ours.")
    return Advice(what, todo, for_us=True)


def _settled(link: Link) -> Advice:
    if link.last_error:
        return Advice(link.last_error, _("Nothing: it is not meant to be sent."))
    if not link.remote_id:
        return Advice(_("It is not sent there."), _("Nothing."))
    if link.remark and link.synced_at:
        todo = _("Change it here, or see to it there by hand; nothing waits for it.")
        return Advice(link.remark, todo)
    what = _("It is in step.")
    if link.synced_at:
        what = _ended(_("In step since %(time)s") % {"time": _at(link.synced_at)})
    return Advice(what, _("Nothing."))


def _held_up(link: Link) -> Advice | None:
    """What keeps all links of the connection from being sent."""
    connection = link.connection
    if not connection.is_active:
        return Advice(
            _("The connection is switched off."),
            _("Switch it on, if this is still to be sent."),
            for_us=True,
        )
    return None if link.state == State.DEAD else _waits_for_connection(link)


def _waits_for_connection(link: Link) -> Advice | None:
    connection = link.connection
    if connection.needs_reconnect:
        return Advice(
            _ended(connection.sync_error or _("The credentials were refused")),
            _("Give the connection credentials that work; this is then sent by itself."),
            for_us=True,
        )
    if connection.rests_until and connection.rests_until > clock.now() and not _is_awaited(link):
        until = {"time": _at(connection.rests_until), "why": _ended(connection.rest_reason)}
        return Advice(
            _("The connection rests until %(time)s: %(why)s") % until,
            _("Nothing: it is tried again then, and no try is charged."),
        )
    return None


def _by_state(link: Link) -> Advice:
    if link.state == State.DEAD:
        return _given_up(link)
    if link.waits_for_id:
        return _waiting(link)
    return _uncertain(link) if link.state == State.UNCERTAIN else _due(link)


def _given_up(link: Link) -> Advice:
    error = _ended(link.last_error or _("No reason is known"))
    if landing.SEE_THE_RELAY in error:
        times = ngettext(
            "It was accepted once, and no callback came.",
            "It was accepted %(count)d times, and no callback came.",
            link.attempts,
        )
        todo = _("See whether the relay runs and reaches this site, then retry.")
        return Advice(times % {"count": link.attempts}, todo, for_us=True)
    if "id_number" in error:
        todo = _(
            "Another client there, perhaps an archived or deleted one, has this ID number: take it "
            "from that one, then retry."
        )
        return Advice(_("Refused: %(why)s") % {"why": error}, todo, for_us=True)
    if link.attempts > 1:
        tries = {"count": link.attempts, "why": error}
        return Advice(
            _("Given up after %(count)d tries: %(why)s") % tries,
            _("Mend what it says, then retry. An edit sends it again too."),
            for_us=True,
        )
    return Advice(
        _("Refused: %(why)s") % {"why": error},
        _("Correct it here, which sends it again; or correct it there, then retry."),
        for_us=True,
    )


def _waiting(link: Link) -> Advice:
    failed = "which failed" in link.last_error
    todo = (
        _("Mend that one first; this is then sent by itself.")
        if failed
        else _("Nothing: it is sent as soon as that one is there.")
    )
    return Advice(_ended(link.last_error or _("Waiting for another")), todo, for_us=failed)


def _uncertain(link: Link) -> Advice:
    by_callback = link.connection.provider.by_callback
    if not landing.overdue(link) or not by_callback:
        what = link.last_error or _("It was sent, and the answer is not here yet.")
        if by_callback:
            todo = _("Nothing. Should it stay so, see whether a worker runs.")
        else:
            todo = _("Nothing: it is looked up there before it is sent again.")
        return Advice(_ended(what), todo)
    when = {"name": link.connection.name, "time": _at(link.due_at)}
    if not _is_awaited(link):
        return Advice(
            _ended(_("%(name)s has it, and no callback came by %(time)s") % when),
            _("See whether the relay runs and reaches this site. It is sent again by itself."),
        )
    what = _ended(_("%(name)s has it, and is to call back by %(time)s") % when)
    return Advice(
        f"{_earlier(link)}{what}", _("Nothing yet: without a callback it is sent again then.")
    )


def _earlier(link: Link) -> str:
    """What was wrong with the try before the one that is under way."""
    if link.last_error == landing.NO_CALLBACK:
        return _("Of an earlier try no callback came.") + " "
    if link.last_error:
        return _("An earlier try failed: %(why)s") % {"why": _ended(link.last_error)} + " "
    return ""


def _due(link: Link) -> Advice:
    if link.last_error:
        tries = {"count": link.attempts, "why": _ended(link.last_error), "time": _at(link.due_at)}
        what = _("Try %(count)d failed: %(why)s") if link.attempts else "%(why)s"
        todo = _("Nothing: it is tried again at %(time)s; retry to wait no longer.")
        return Advice(what % tries, todo % tries)
    if link.remote_id:
        what = _("Edited since it was sent, and due.")
    else:
        what = _("Due, and not sent yet.")
    return Advice(what, _("Nothing. Should it stay so, see whether a worker runs."))


def _is_awaited(link: Link) -> bool:
    """Whether a go-between has it, and its deadline has not passed."""
    awaits = landing.overdue(link) and link.connection.provider.by_callback
    return awaits and link.due_at > clock.now()


def _ended(words: str) -> str:
    """With a full stop."""
    words = words.strip()
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _at(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")
