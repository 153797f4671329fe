"""Orders: the actions of a stand as forms, made from their signatures."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping

from tallystick.ports.sandboxing import Stand
from tallystick.sandbox.html import Html, tag


def orders(stand: Stand) -> Html:
    return tag(
        "section",
        tag("h2", "Orders"),
        tag("div", [_order(stand, name) for name in stand.actions()], class_="card orders"),
        tag(
            "form",
            tag("button", "Reset this stand", class_="danger"),
            tag("small", "Forgets all it holds, its calls and its faults."),
            method="post",
            action=f"/stands/{stand.name}/reset",
            class_="reset",
        ),
    )


def arguments(stand: Stand, action: str, form: Mapping[str, str]) -> dict[str, object]:
    """What the form says, as the action wants it; raises `ValueError` in words."""
    found: dict[str, object] = {}
    for parameter in _parameters(stand, action):
        text = form.get(parameter.name, "").strip()
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= _object(parameter.name, text or "{}")
        elif text:
            found[parameter.name] = _value(parameter, text)
    return found


def _order(stand: Stand, name: str) -> Html:
    told = (inspect.getdoc(getattr(stand, name)) or "").partition("\n\n")[0]
    fields = [_field(parameter) for parameter in _parameters(stand, name)]
    return tag(
        "details",
        tag("summary", name.replace("_", " ")),
        tag(
            "form",
            tag("p", told, class_="quiet") if told else None,
            fields,
            tag("button", "Do it"),
            method="post",
            action=f"/stands/{stand.name}/orders/{name}",
        ),
    )


def _field(parameter: inspect.Parameter) -> Html:
    words = parameter.name.replace("_", " ")
    if parameter.annotation == "bool":
        options = [tag("option", text, value=text) for text in ("true", "false")]
        return tag("label", words, tag("select", options, name=parameter.name))
    if _is_object(parameter):
        area = tag("textarea", name=parameter.name, rows=2, placeholder='{"Reference": "PO 7"}')
        return tag("label", words, area)
    is_required = parameter.default is parameter.empty
    default = "" if is_required else str(parameter.default)
    given = tag("input", name=parameter.name, value=default, required=is_required)
    return tag("label", words, given)


def _parameters(stand: Stand, action: str) -> list[inspect.Parameter]:
    if action not in stand.actions():
        raise ValueError(f"There is no order {action!r}.")
    return list(inspect.signature(getattr(stand, action)).parameters.values())


def _is_object(parameter: inspect.Parameter) -> bool:
    is_mapping = str(parameter.annotation).startswith("Mapping")
    return parameter.kind is parameter.VAR_KEYWORD or is_mapping


def _value(parameter: inspect.Parameter, text: str) -> object:
    if _is_object(parameter):
        return _object(parameter.name, text)
    if parameter.annotation == "bool":
        return text == "true"
    if parameter.annotation == "int":
        if not text.isdecimal():
            raise ValueError(f"{parameter.name} is a whole number.")
        return int(text)
    return text


def _object(name: str, text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(f"{name} is a JSON object.") from None
    if not isinstance(found, dict):
        raise TypeError(f"{name} is a JSON object.")
    return found
