from __future__ import annotations

from django.urls import re_path

from tallystick.integrations.views import webhook

urlpatterns = [
    re_path(r"^billing/(?P<provider_type>xero)/webhooks/?$", webhook),
    re_path(
        r"^api/integrations/(?P<provider_type>[a-z_]{1,32})/webhook"
        r"(?:/(?P<connection_id>[0-9]{1,18}))?/?$",
        webhook,
        name="webhook",
    ),
]
