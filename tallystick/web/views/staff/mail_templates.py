"""A website's own words for its mails: written, tried, sent to oneself, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tallystick.accounts.models import Tries, Website
from tallystick.billing import email_checks, email_samples, mailing
from tallystick.billing.email_kinds import KEYS, LABELS
from tallystick.billing.email_looks import look_of
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.email_wording import BadWording
from tallystick.billing.email_writing import Letter, compose
from tallystick.billing.errors import BillingError
from tallystick.events import record
from tallystick.web.views.staff.doors import Desk, for_staff

_HISTORY = 20
_TESTS_AN_HOUR = 20
# What a mail holds, styles in it among them, and nothing that runs or leads elsewhere.
_PREVIEW_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "sandbox": True,
}


class WordingForm(forms.Form):
    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        required=False,
        max_length=email_checks.LONGEST_SUBJECT,
        help_text=gettext_lazy("Empty: the standard subject."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    body = forms.CharField(
        label=gettext_lazy("Words"),
        required=False,
        max_length=email_checks.LONGEST_BODY,
        help_text=gettext_lazy(
            "Empty: the standard words. The amount, the button and the details follow by themselves."
        ),
        widget=forms.Textarea(attrs={"class": "input", "rows": 12, "spellcheck": "true"}),
    )
    case = forms.ChoiceField(
        label=gettext_lazy("Try with"),
        required=False,
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(
        self, key: str, data: QueryDict | None = None, initial: dict[str, str] | None = None
    ) -> None:
        super().__init__(data, initial=initial, auto_id="w-%s")
        case = self.fields["case"]
        assert isinstance(case, forms.ChoiceField)  # noqa: S101 - for the type checker
        case.choices = [(name, _CASES[name]) for name, _v in email_samples.cases(key)]

    @property
    def words(self) -> tuple[str, str]:
        return self.cleaned_data["subject"], self.cleaned_data["body"].replace("\r\n", "\n")


_CASES = {
    "an open invoice": gettext_lazy("an open invoice"),
    "an overdue invoice": gettext_lazy("an overdue invoice"),
    "a paid invoice": gettext_lazy("a paid invoice"),
    "an invoice without a due date": gettext_lazy("an invoice without a due date"),
    "an invoice without a description": gettext_lazy("an invoice without a description"),
    "a website without a bank account": gettext_lazy("a website without a bank account"),
}


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    websites = [desk.website] if desk.website else desk.websites[:_HISTORY]
    written = EmailTemplate.objects.of([website.pk for website in websites])
    there = set(written.filter(is_active=True).values_list("website", "key", "language"))
    groups = [
        {"website": website, "rows": [_row(website, key, there) for key in KEYS]}
        for website in websites
    ]
    page = desk.page("mail", groups=groups, own=len(there))
    return render(request, "web/staff/mail/templates.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@csp_update({"frame-src": [SELF]})
@for_staff
def edit(request: HttpRequest, desk: Desk, uid: UUID, key: str) -> HttpResponse:
    website, language = _place(request, desk, uid, key)
    versions = EmailTemplate.objects.versions(website, key, language).select_related("edited_by")
    history = list(versions[:_HISTORY])
    now = next((each for each in history if each.is_active), None)
    status = 200
    if request.method == "POST":
        form = WordingForm(key, request.POST)
        if form.is_valid() and _saved(request, desk, form, (website, key, language)):
            return HttpResponseRedirect(_address(website, key, language), status=303)
        status = 422
    else:
        shown = _version(request, history) or now
        initial = {"subject": shown.subject, "body": shown.body} if shown else {}
        form = WordingForm(key, initial=initial)
    page = desk.page(
        "mail",
        form=form,
        website=website,
        key=key,
        kind=LABELS[key],
        language=language,
        languages=_languages(website, key),
        now=now,
        history=history,
        names=sorted(email_samples.names()),
        usual=_letter(website, key, language or website.language, "", ""),
    )
    return render(request, "web/staff/mail/edit.html", page, status=status)


@csp(_PREVIEW_POLICY)
@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def preview(request: HttpRequest, desk: Desk, uid: UUID, key: str) -> HttpResponse:
    """The mail by itself, to be shown in a frame: its styles are its own, and nothing in it runs."""
    website, language = _place(request, desk, uid, key)
    subject, body = _words(request, website, key, language)
    case = request.POST.get("case") or request.GET.get("case", "")
    try:
        email_checks.check(key, subject, body)
    except BadWording as problem:
        return HttpResponse(str(problem), "text/plain; charset=utf-8", status=422)
    letter = _letter(website, key, language or website.language, subject, body, case)
    if "text" in request.POST or "text" in request.GET:
        text = f"{letter.subject}\n\n{letter.text}"
        return HttpResponse(text, "text/plain; charset=utf-8")
    return HttpResponse(letter.html)


@require_POST
@for_staff
def reset(request: HttpRequest, desk: Desk, uid: UUID, key: str) -> HttpResponse:
    website, language = _place(request, desk, uid, key)
    EmailTemplate.reset(website, key, language)
    messages.success(request, _("It uses the standard words again."))
    return HttpResponseRedirect(_address(website, key, language), status=303)


def _saved(
    request: HttpRequest, desk: Desk, form: WordingForm, place: tuple[Website, str, str]
) -> bool:
    """Whether what the form asks for was done; else the form says why not."""
    website, key, language = place
    subject, body = form.words
    try:
        if request.POST.get("act") == "test":
            email_checks.check(key, subject, body)
            _send_test(desk, place, (subject, body), form.cleaned_data["case"])
            messages.success(
                request, _("A test is on its way to %(to)s.") % {"to": desk.user.email}
            )
            return False
        EmailTemplate.write(website, key, language, subject=subject, body=body, by=desk.user)
    except BadWording as problem:
        form.add_error(problem.part or None, str(problem))
    except BillingError as problem:
        form.add_error(None, str(problem))
    else:
        messages.success(request, _("Saved. The next mail of this kind says it."))
        return True
    return False


class TooManyTests(BillingError):
    """You have sent many tests of late; wait an hour."""


def _send_test(
    desk: Desk, place: tuple[Website, str, str], words: tuple[str, str], case: str
) -> None:
    website, key, language = place
    if Tries.add(f"mail-test:{desk.user.pk}", 3600) > _TESTS_AN_HOUR:
        raise TooManyTests
    letter = _letter(website, key, language or website.language, *words, case)
    mailing.send_test(letter, website, desk.user.email)
    record("email_template.tested", website, change={"key": key, "language": language})


def _letter(
    website: Website, key: str, language: str, subject: str, body: str, case: str = ""
) -> Letter:
    """A made-up mail with these words."""
    words = EmailTemplate(website=website, key=key, subject=subject.strip(), body=body.strip())
    cases = dict(email_samples.cases(key))
    values = cases.get(case) or next(iter(cases.values()))
    values = {**values, "website_name": website.name}
    with override(language):
        return compose(key, values, look_of(website), words=words, domain=website.domain)


def _words(request: HttpRequest, website: Website, key: str, language: str) -> tuple[str, str]:
    """Those that were typed, else those in force."""
    if request.method == "POST":
        typed = request.POST
        return typed.get("subject", ""), typed.get("body", "").replace("\r\n", "\n")
    now = EmailTemplate.objects.best(website, key, language)
    return (now.subject, now.body) if now else ("", "")


def _place(request: HttpRequest, desk: Desk, uid: UUID, key: str) -> tuple[Website, str]:
    """The website and the language that the address names. Raises `Http404` where it is not theirs."""
    website = Website.objects.visible_to(desk.user).filter(uid=uid).first()
    language = request.GET.get("language", "")
    if website is None or key not in LABELS or language not in {"", *_known(website)}:
        raise Http404
    return website, language


def _known(website: Website) -> list[str]:
    return sorted({website.language, *dict(settings.LANGUAGES)})


def _languages(website: Website, key: str) -> list[dict[str, Any]]:
    active = EmailTemplate.objects.of(website).filter(key=key, is_active=True)
    there = set(active.values_list("language", flat=True))
    return [
        {"code": code, "name": _language(code), "own": code in there}
        for code in ["", *_known(website)]
    ]


def _language(code: str) -> str:
    if not code:
        return _("Any language")
    return str(dict(settings.LANGUAGES).get(code) or code)


def _version(request: HttpRequest, history: list[EmailTemplate]) -> EmailTemplate | None:
    wanted = request.GET.get("version", "")
    return next((each for each in history if str(each.uid) == wanted), None)


def _row(website: Website, key: str, there: set[tuple[int, str, str]]) -> dict[str, Any]:
    own = [
        _language(language)
        for pk, each, language in sorted(there)
        if (pk, each) == (website.pk, key)
    ]
    return {"key": key, "label": LABELS[key], "own": own}


def _address(website: Website, key: str, language: str) -> str:
    address = reverse("staff-mail-template", args=[website.uid, key])
    return f"{address}?language={language}" if language else address
