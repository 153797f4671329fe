"""The pages beside the API: its description, and what each problem means."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from tallystick.api.problem_kinds import named
from tallystick.api.problems import Problem


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    del request
    return HttpResponse(written(), content_type="application/yaml; charset=utf-8")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    kind = named(code)
    if kind is None:
        raise Http404
    return render(request, "api/problem.html", {"code": code, "kind": kind})


@lru_cache(maxsize=1)
def written() -> bytes:
    """The description of the API; the same for everybody."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call] # not typed there
    renderer: Any = OpenApiYamlRenderer()
    text: bytes = renderer.render(
        generator.get_schema(request=None, public=True), renderer_context={}
    )
    return text


class Nowhere(APIView):
    """Addresses below the API that are none: a problem, not a page."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(exclude=True)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the base
        self.args, self.kwargs, self.headers = args, kwargs, {}
        self.request: Request = self.initialize_request(request)
        response = self.handle_exception(Problem("not_found"))
        return self.finalize_response(self.request, response)
