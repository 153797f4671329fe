"""Writing lists: each element for itself, or all or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tallystick.ports.sandboxing import Answer
from tallystick.providers.xero.sandbox.answers import (
    NIL,
    Element,
    Invalid,
    Rejected,
    invalid,
    listing,
)
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.nouns import Noun


def written(
    books: Books,
    noun: Noun,
    given: Sequence[Element],
    act: Callable[[Element], Element],
    *,
    one_by_one: bool,
) -> Answer:
    """`act` on each. `one_by_one` (summarizeErrors=false): 200 with a result for each, in order;
    otherwise one bad element refuses them all."""
    results, refused = [], []
    for element in given:
        mark = books.undo.mark()
        try:
            done = act(element)
        except Invalid as error:
            books.undo.back(mark)
            results.append(_refused(noun, element, error))
            refused.append(results[-1])
        else:
            results.append({**noun.show(books, done), "StatusAttributeString": "OK"})
    if refused and not one_by_one:
        books.undo.back(0)
        raise Rejected(invalid(refused))
    return listing(noun.name, results, now=books.now())


def _refused(noun: Noun, given: Element, error: Invalid) -> Element:
    """What was given, with what is wrong with it."""
    id_name = noun.name.removesuffix("s") + "ID"
    return {
        **given,
        id_name: given.get(id_name) or NIL,
        "StatusAttributeString": "ERROR",
        **({noun.flagged: True} if noun.flagged else {}),
        "ValidationErrors": [{"Message": message} for message in error.messages],
    }
