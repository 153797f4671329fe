"""A provider's own description of its API (OpenAPI), to hold requests and answers against."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = Any

SPECS = Path(
    os.environ.get("TALLYSTICK_SPECS", Path(__file__).resolve().parents[3] / "shared" / "specs")
)
"""Where the providers' API descriptions are; tests that need one skip without it."""
HOW_TO_GET = "set TALLYSTICK_SPECS to a folder with the providers' API descriptions (xero/...)"


@dataclass(frozen=True)
class Description:
    """An OpenAPI document; `base` is what real paths have before those in it."""

    file: Path
    base: str = ""

    def required(self) -> Description:
        if not self.file.exists():
            pytest.skip(f"needs {self.file.name}: {HOW_TO_GET}")
        return self

    def complaints(self, request: httpx2.Request) -> list[str]:
        """What the description has against a request's parameters and JSON body."""
        operation = self._operation(request.method, request.url.path)
        if operation is None:
            return [f"{request.method} {request.url.path} is not described"]
        found = list(self._of_parameters(operation, request))
        schema = _json_schema(operation.get("requestBody"))
        if schema and request.content:
            document = json.loads(request.content)
            found += self._of_value(schema, document)
            found += [f"{where} is not described" for where in self._strays(schema, document, "$")]
        return found

    def answer_complaints(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """What the description has against an answer."""
        operation = self._operation(method, path) or {}
        answer = self._followed(operation.get("responses", {}).get(str(status), {}))
        schema = _json_schema(answer)
        return self._of_value(schema, json.loads(body)) if schema else []

    @cached_property
    def _document(self) -> Json:
        return _loaded(self.file)

    @cached_property
    def _registry(self) -> Registry[Json]:
        resource = Resource.from_contents(self._document, default_specification=DRAFT202012)
        registry: Registry[Json] = Registry().with_resource("urn:api", resource)
        return registry

    def _of_value(self, schema: Json, value: Json) -> list[str]:
        validator = Draft202012Validator(_rebased(schema), registry=self._registry)
        return [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(value)]

    def _of_parameters(self, operation: Json, request: httpx2.Request) -> Iterator[str]:
        known = [self._followed(parameter) for parameter in operation.get("parameters", [])]
        names = {p["name"].lower(): p for p in known}
        for name in request.url.params:
            if name.lower() not in names:
                yield f"parameter {name} is not described"
        for parameter in known:
            given = request.headers.get(parameter["name"]) if parameter["in"] == "header" else None
            if given is not None:
                yield from self._of_value(parameter["schema"], given)

    def _operation(self, method: str, path: str) -> Json:
        path = path.removeprefix(self.base)
        for template, operations in self._document["paths"].items():
            if method.lower() in operations and _is_like(template, path):
                return operations[method.lower()]
        return None

    def _strays(self, schema: Json, value: Json, where: str) -> Iterator[str]:
        """Members that no schema knows: a misspelt one is let through by JSON Schema."""
        if isinstance(value, list):
            items: Json = next((s["items"] for s in self._parts(schema) if "items" in s), {})
            for place, item in enumerate(value):
                yield from self._strays(items, item, f"{where}[{place}]")
        elif isinstance(value, dict):
            known: dict[str, Json] = {}
            for part in self._parts(schema):
                for name, held in part.get("properties", {}).items():
                    known.setdefault(name, held)
            for name, member in value.items() if known else ():
                if name not in known:
                    yield f"{where}.{name}"
                else:
                    yield from self._strays(known[name], member, f"{where}.{name}")

    def _parts(self, schema: Json) -> list[Json]:
        schema = self._followed(schema)
        inner = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name, [])]
        return [schema, *(found for part in inner for found in self._parts(part))]

    def _followed(self, value: Json) -> Json:
        while "$ref" in value:
            found = self._document
            for name in value["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            value = found
        return value


@cache
def _loaded(file: Path) -> Json:
    return json.loads(file.read_text())


def _json_schema(holder: Json) -> Json:
    content = (holder or {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def _rebased(schema: Json) -> Json:
    """The schema with its references into the document."""
    if isinstance(schema, dict):
        return {
            name: f"urn:api{value}" if name == "$ref" else _rebased(value)
            for name, value in schema.items()
        }
    return [_rebased(item) for item in schema] if isinstance(schema, list) else schema


def _is_like(template: str, path: str) -> bool:
    wanted, given = template.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        part.startswith("{") or part == there for part, there in zip(wanted, given, strict=True)
    )
