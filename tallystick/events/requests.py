"""Who acts in a web request, and from where."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from tallystick.events.actors import Actor, ActorKind


def address_of(request: HttpRequest) -> str:
    """Who asks: an IPv4 address, or the /64 network of an IPv6 address, which is one household.

    Forwarded headers are believed only behind a proxy of ours, and then only the last entry: it is
    the one that the proxy wrote."""
    written = request.META.get("REMOTE_ADDR", "")
    if getattr(settings, "BEHIND_PROXY", False):
        written = request.META.get("HTTP_X_FORWARDED_FOR", written).rsplit(",", 1)[-1]
    try:
        address = ipaddress.ip_address(written.strip())
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def agent_of(request: HttpRequest) -> str:
    """What the browser or program calls itself, shortened."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]


def actor_in(request: HttpRequest) -> Actor:
    """The signed-in user. Whoever is not signed in is known by what let them in, not by this."""
    label = "staff" if getattr(request.user, "is_staff", False) else "client"
    return Actor(
        ActorKind.USER,
        id=str(request.user.pk),
        label=label,
        address=address_of(request),
        agent=agent_of(request),
    )
