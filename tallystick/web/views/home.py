"""The start page: what this is, to strangers; whoever is signed in goes on to their own pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tallystick.accounts.standing import standing_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "web/home.html")
    is_admin = standing_of(request.user).is_admin
    return HttpResponseRedirect(reverse("staff-dashboard" if is_admin else "portal"))
