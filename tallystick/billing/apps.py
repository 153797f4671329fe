from __future__ import annotations

from django.apps import AppConfig

from tallystick.kit.db import defaults

defaults.fill(
    BILLING_SERVICE_CLASS="tallystick.billing.billing_services.LocalBillingService",
    BILLING_EMAIL_WHITELIST_REGEX=None,
    INVOICE_EMAIL_ATTACH_PDF=True,
    PAYMENT_LINK_EXPIRY_DAYS=30,
    PAYMENT_LINK_ONE_USE=False,
    PAYMENT_LINK_LOG_DAYS=400,
)


class BillingConfig(AppConfig):
    name = "tallystick.billing"

    def ready(self) -> None:
        from tallystick.billing import (
            checks,  # noqa: F401 - registers them
            methods,
            personal,
        )
        from tallystick.billing.banking.method import BankTransferMethod
        from tallystick.billing.emails import Email
        from tallystick.billing.holds import release_expired
        from tallystick.billing.link_log import prune
        from tallystick.billing.mailing import deliver
        from tallystick.billing.reminders import remind_all
        from tallystick.billing.retention import end_everywhere
        from tallystick.billing.statistic_rows import StatDelta, drain
        from tallystick.queue import Queue, register, register_rows, schedule

        methods.register(BankTransferMethod())
        # In threads: a mail server that does not answer holds up nothing but mail.
        register_rows("emails", Email, perform=deliver, threads=4)
        personal.install()
        schedule("link_log", every=86_400, run=prune)
        schedule("retention", every=86_400, run=end_everywhere)
        register(Queue("statistics", StatDelta.objects.everywhere, drain))
        schedule("reminders", every=600, run=remind_all)
        schedule("wallet_holds", every=60, run=release_expired)
