"""What the console shows of the relay: nothing of what is sensitive."""

from __future__ import annotations

from tallystick.ports.sandboxing import Deed, Table
from tallystick.providers.relay.sandbox.books import PRODUCT, USER, Entry, Noun
from tallystick.providers.relay.sandbox.control import Control

_ROWS = 25


def tables(stand: Control) -> list[Table]:
    found = [_entries(stand, "Clients", USER), _entries(stand, "Products", PRODUCT)]
    found.append(_callbacks(stand))
    return [*(table for table in found if table.total), _sheet(stand)]


def _entries(stand: Control, title: str, noun: Noun) -> Table:
    entries = sorted(stand.books.all(noun), key=lambda entry: entry.changed_at, reverse=True)
    newest = entries[:_ROWS]
    return Table(
        title,
        ("Id", "Name", "Site's number", "Key", "Changed", "State"),
        [_cells(entry) for entry in newest],
        len(entries),
        [[_repeat(entry)] for entry in newest],
    )


def _cells(entry: Entry) -> tuple[str, ...]:
    changed = entry.changed_at.strftime("%d %b %H:%M")
    state = "archived" if entry.is_archived else "active"
    return (entry.id, entry.name, str(entry.local_id), entry.key, changed, state)


def _repeat(entry: Entry) -> Deed:
    arguments = {"name": entry.key, "noun": entry.noun.word}
    return Deed("Call back again", "repeat_callback", arguments)


def _callbacks(stand: Control) -> Table:
    waiting = stand.callbacks.waiting
    rows = [
        (due.strftime("%d %b %H:%M:%S"), sent.url, sent.label, str(sent.attempt))
        for due, sent in waiting[:_ROWS]
    ]
    return Table("Callbacks to come", ("Due", "To", "Says", "Try"), rows, len(waiting))


def _sheet(stand: Control) -> Table:
    """What is needed to connect."""
    rows = [
        ("Webhook address", stand.webhook_url),
        ("Secret", stand.secret or "none"),
        ("Calls back to", stand.callback_url or "none: callbacks wait"),
        ("Callbacks", "none: it is silent" if stand.is_silent else "after each work"),
        ("Next works that fail", str(stand.failing.left)),
        ("Next works that are lost", str(stand.losing)),
        ("Callbacks given up", str(len(stand.callbacks.given_up))),
    ]
    return Table("Relay", ("Setting", "Value"), rows, len(rows), is_sheet=True)
