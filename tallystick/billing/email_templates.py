"""EmailTemplate: what a website says in its mails in place of our words."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Website
from tallystick.accounts.tenancy import TenantManager, TenantModel, TenantQuerySet
from tallystick.billing import email_checks
from tallystick.billing.email_kinds import KEYS, LABELS
from tallystick.events import record
from tallystick.kit import clock

if TYPE_CHECKING:
    from tallystick.people.models import User


class EmailTemplateManager(TenantManager["EmailTemplate"]):
    def best(self, website: Website | int, key: str, language: str) -> EmailTemplate | None:
        """The one in force for a mail in `language`: its own, else that for any language."""
        found = self.of(website).filter(key=key, is_active=True, language__in=["", language])
        return found.order_by("-language").first()

    def versions(
        self, website: Website | int, key: str, language: str
    ) -> TenantQuerySet[EmailTemplate]:
        """All there have been, newest first."""
        return self.of(website).filter(key=key, language=language).order_by("-id")


class EmailTemplate(TenantModel):
    """The subject and the words of one kind of mail, for one language or ("") for any; what is empty
    is said in our words. Saving writes a new row: the old ones are its history."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("kind"), max_length=60, choices=[(key, LABELS[key]) for key in KEYS])
    language = models.CharField(_("language"), max_length=10, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("words"), max_length=10_000, blank=True)
    is_active = models.BooleanField(default=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    edited_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[EmailTemplateManager] = EmailTemplateManager()

    class Meta:
        verbose_name = _("e-mail template")
        verbose_name_plural = _("e-mail templates")
        constraints = [
            models.UniqueConstraint(
                fields=["website", "key", "language"],
                condition=Q(is_active=True),
                name="email_template_in_force",
            )
        ]
        indexes = [
            models.Index(fields=["website", "key", "language", "id"], name="email_template_age")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.language}".strip()

    @classmethod
    def write(
        cls,
        website: Website,
        key: str,
        language: str,
        *,
        subject: str,
        body: str,
        by: User | None,
    ) -> EmailTemplate:
        """Put these words in force from now on. Raises `BadWording`, which names line and name."""
        subject, body = subject.strip(), body.replace("\r\n", "\n").strip()
        email_checks.check(key, subject, body)
        with transaction.atomic():
            cls._retire(website, key, language)
            template = cls.objects.create(
                website=website,
                key=key,
                language=language,
                subject=subject,
                body=body,
                edited_by=by,
            )
            record("email_template.written", template, change={"key": key, "language": language})
        return template

    @classmethod
    def reset(cls, website: Website, key: str, language: str) -> None:
        """Back to what would be said without; the history stays."""
        with transaction.atomic():
            if cls._retire(website, key, language):
                record("email_template.reset", website, change={"key": key, "language": language})

    @classmethod
    def _retire(cls, website: Website, key: str, language: str) -> int:
        # The website's row stands for all its templates: two who save at once take turns.
        Website.objects.select_for_update().get(pk=website.pk)
        there = cls.objects.of(website).filter(key=key, language=language, is_active=True)
        return there.update(is_active=False)
