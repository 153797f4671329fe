"""The faults of a stand and their switches."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from tallystick.ports.sandboxing import Fault, FaultKind, Stand
from tallystick.ports.sandboxing.faults import Armed
from tallystick.sandbox.html import Html, tag

_OFTEN = {
    "always": "every call",
    "once": "the next call",
    "3": "the next 3 calls",
    "0.3": "3 calls in 10",
    "0.05": "1 call in 20",
}
_METHODS = ("", "GET", "PUT", "POST", "DELETE")
_EXTRAS = {
    FaultKind.LATENCY: ("seconds", "0.2", "s"),
    FaultKind.STATUS: ("status", "503", ""),
    FaultKind.TOO_MANY: ("retry_after", "30", "s"),
}
"""The one number that a kind may be given: field, default, unit."""


def faults(stand: Stand) -> Html:
    """What is on, and the switches of all kinds."""
    on = stand.faults.armed()
    return tag(
        "section",
        tag("h2", "Faults"),
        tag("ul", [_armed(stand, armed) for armed in on], class_="on") if on else None,
        tag(
            "form",
            tag("p", "They strike ", _often(), " of ", _method(), " with ", _path(), class_="who"),
            tag("ul", [_kind(kind) for kind in FaultKind], class_="kinds"),
            method="post",
            action=f"/stands/{stand.name}/faults",
            class_="card",
        ),
        id="faults",
    )


def wanted(form: Mapping[str, str]) -> Fault:
    """The fault that the form asks for; raises `ValueError` in words."""
    kind = form.get("kind", "")
    often = form.get("often", "always")
    fields: dict[str, object] = {"kind": kind, "path": form.get("path", "").strip()}
    fields["method"] = form.get("method", "")
    if often == "once":
        fields["times"] = 1
    elif often.isdecimal():
        fields["times"] = int(often)
    elif often != "always":
        fields["probability"] = often
    for of_kind, (field, _, _) in _EXTRAS.items():
        if kind == of_kind:
            text = form.get(field, "").strip()
            fields[field] = text or None if field == "retry_after" else text
    try:
        return Fault.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{first['loc'][0]}: {first['msg']}") from None


def _armed(stand: Stand, armed: Armed) -> Html:
    fault = armed.fault
    where = " ".join(filter(None, (fault.method, fault.path))) or "every call"
    often = f"{fault.times} times" if fault.times else "always"
    often = f"{fault.probability:.0%} of calls" if fault.probability < 1 else often
    return tag(
        "li",
        tag("span", tag("b", fault.kind.value), tag("small", f"{where}, {often}")),
        tag("span", f"struck {armed.struck:,}", class_="quiet"),
        tag(
            "form",
            tag("input", type="hidden", name="number", value=armed.number),
            tag("button", "Off"),
            method="post",
            action=f"/stands/{stand.name}/faults/off",
        ),
        class_="spent" if armed.spent else None,
    )


def _kind(kind: FaultKind) -> Html:
    extra = None
    if kind in _EXTRAS:
        field, default, unit = _EXTRAS[kind]
        label = f"{field} of {kind.value}"
        extra = tag("span", _number(field, default, label), unit, class_="extra")
    return tag(
        "li",
        tag("span", tag("b", kind.value), tag("small", kind.told)),
        extra,
        tag("button", "On", name="kind", value=kind.value, aria_label=f"{kind.value}: on"),
    )


def _number(field: str, default: str, label: str) -> Html:
    return tag("input", name=field, value=default, inputmode="decimal", aria_label=label)


def _often() -> Html:
    options = [tag("option", words, value=value) for value, words in _OFTEN.items()]
    return tag("select", options, name="often", aria_label="How often")


def _method() -> Html:
    options = [tag("option", method or "any method", value=method) for method in _METHODS]
    return tag("select", options, name="method", aria_label="Method")


def _path() -> Html:
    return tag("input", name="path", placeholder="any path", aria_label="Part of the path")
