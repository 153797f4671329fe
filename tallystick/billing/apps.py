from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "tallystick.billing"

    def ready(self) -> None:
        from tallystick.billing import checks  # noqa: F401 - registers them
        from tallystick.billing.emails import Email
        from tallystick.billing.mailing import deliver
        from tallystick.queue import register_rows

        # In threads: a mail server that does not answer holds up nothing but mail.
        register_rows("emails", Email, perform=deliver, threads=4)
