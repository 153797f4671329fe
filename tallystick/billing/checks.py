"""What `manage.py check` says about billing: one clear line, naming the setting."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from tallystick.billing import billing_services
from tallystick.billing.emails import KEYS

_LONGEST_EXPIRY = 36_500


@register()
def billing_is_set_up(**_: object) -> list[CheckMessage]:
    return [*_service(), *_templates(), *_expiry()]


def _service() -> Iterator[CheckMessage]:
    try:
        billing_services.service_class()
    except (ImportError, TypeError, ValueError) as error:
        yield Error(f"BILLING_SERVICE_CLASS: {error}", id="billing.E001")


def _templates() -> Iterator[CheckMessage]:
    for key in KEYS:
        for part in ("subject.txt", "txt", "html"):
            name = f"billing/email/{key}.{part}"
            try:
                get_template(name)
            except TemplateDoesNotExist:
                yield Error(f"The e-mail template {name} is missing.", id="billing.E002")
            except TemplateSyntaxError as error:
                yield Error(f"The e-mail template {name}: {error}", id="billing.E002")


def _expiry() -> Iterator[CheckMessage]:
    if settings.PAYMENT_LINK_EXPIRY_DAYS > _LONGEST_EXPIRY:
        yield Error("PAYMENT_LINK_EXPIRY_DAYS: is more than a hundred years.", id="billing.E003")
