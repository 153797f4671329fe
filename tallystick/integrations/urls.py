from __future__ import annotations

from django.urls import re_path

from tallystick.integrations.views import webhook

urlpatterns = [
    re_path(r"^billing/(?P<provider_type>xero)/webhooks/?$", webhook),
    # Whatever follows: some providers take an address that is not found for one that is no more.
    re_path(
        r"^api/integrations/(?P<provider_type>[a-z_]{1,32})/webhook(?P<rest>/[\s\S]*)?$",
        webhook,
        name="webhook",
    ),
]
