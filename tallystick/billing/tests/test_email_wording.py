"""What staff write for mails: what it may say, and that it can do no more."""

from __future__ import annotations

import html as html_parser
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing import email_samples
from tallystick.billing.email_checks import check
from tallystick.billing.email_looks import Look
from tallystick.billing.email_values import line
from tallystick.billing.email_wording import BadWording, Wording, as_html, as_text
from tallystick.billing.email_writing import compose

NAMES = email_samples.names()
LOOK = Look("#14573c", "#ffffff", "#63c89a", "#06150e")


def said(text: str, **values: Any) -> str:
    return Wording(text, NAMES).render(email_samples.sample(**values))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Dear {{ client_name }}", "Dear İsmail Şahin"),
        ("{{invoice.number}}", "INV-2026-0042"),
        ("{% if is_due %}pay{% else %}thanks{% endif %}", "pay"),
        ("{% if not is_due %}thanks{% endif %}!", "!"),
        ("{% if is_overdue %}late{% elif due_date %}soon{% else %}-{% endif %}", "soon"),
        ("{% if is_due %}{% if is_overdue %}a{% else %}b{% endif %}c{% endif %}", "bc"),
        ("a { b } % {", "a { b } % {"),
    ],
)
def test_values_and_conditions(text: str, result: str) -> None:
    assert said(text) == result


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a\n{{ client_nam }}",
            "Line 2: There is no value named client_nam. Did you mean client_name?",
        ),
        ("{{ invoice }}", "no value named invoice"),
        ("{{ invoice.client.user.password }}", "Line 1: There is no value named"),
        ("{{ client_name.__class__ }}", "no value named"),
        ("{{ client_name|upper }}", "no value named"),
        ("{{ }}", "no value named nothing"),
        ("{% load i18n %}", "is not known"),
        ("{% include 'x' %}", "is not known"),
        ("{% for a in b %}{% endfor %}", "is not known"),
        ("{% if is_due %}\npay", "Line 1: This {% if %} has no {% endif %}."),
        ("{% endif %}", "has no {% if %} before it"),
        ("{% else %}", "without an {% if %}"),
        ("{% if is_due %}{% else %}{% else %}{% endif %}", "without an {% if %}"),
        ("\n\n{{ amount", "Line 3: {{ is not closed"),
        ("amount }}", "closes nothing"),
        ("{% if is_due %}" * 6, "More than 5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadWording) as refused:
        Wording(text, NAMES)
    assert words in str(refused.value)


class TestChecking:
    def test_every_case_is_tried(self) -> None:
        with pytest.raises(BadWording, match="for an invoice without a due date"):
            check("payment.reminder", "{% if due_date %}Due {{ due_date }}{% endif %}", "")

    def test_ours_may_stand(self) -> None:
        check("payment.reminder", "", "")

    def test_the_subject_is_one_line(self) -> None:
        with pytest.raises(BadWording, match="one line") as refused:
            check("payment.reminder", "a\nb", "")
        assert refused.value.part == "subject"

    @pytest.mark.parametrize(("subject", "body"), [("x" * 201, ""), ("", "x" * 10_001)])
    def test_length_is_bounded(self, subject: str, body: str) -> None:
        with pytest.raises(BadWording, match="longer than"):
            check("payment.reminder", subject, body)

    def test_what_grows_beyond_measure_is_refused(self) -> None:
        wording = Wording("{{ description }}" * 500, NAMES)
        with pytest.raises(BadWording, match="becomes longer"):
            wording.render(email_samples.sample(description="x" * 5_000))


def test_html_of_words() -> None:
    html = as_html("One **two**\nthree\n\n- a\n- b\n\nsee https://x.example/a?b=1&c=2.", "#14573c")
    assert "One <b>two</b><br>three</p>" in html
    assert html.count("<li") == 2
    assert 'href="https://x.example/a?b=1&amp;c=2"' in html
    assert as_text("One **two**") == "One two"


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_data(self, data: str) -> None:
        self.text += data


hostile = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            '"><script>alert(1)</script>',
            "'><img src=x onerror=alert(1)>",
            "{{ payment_link }}",
            "{% if x %}",
            "</p></td></table><h1>",
            "\r\nBcc: all@example.org\r\n\r\nbody",
            "**</b><i>**",
            "\u202eevil\u2066",
            "&lt;script&gt;",
            "javascript:alert(1)",
            "=?utf-8?q?=0d=0aBcc:x@y.z?=",
        ]
    ),
)


@settings(deadline=None)
@given(name=hostile, description=hostile, website=hostile)
def test_no_value_breaks_out_of_our_html(name: str, description: str, website: str) -> None:
    values = email_samples.sample(
        line(website), client_name=line(name), description=line(description)
    )
    plain = email_samples.sample("x", client_name="x", description="x")
    made, expected = (
        _Tags(compose("payment.invoice_generated", each, LOOK).html) for each in (values, plain)
    )
    if values["description"] and values["client_name"]:
        assert made.found == expected.found
    assert {tag for tag, _ in made.found} <= {tag for tag, _ in expected.found}


@settings(deadline=None)
@given(value=hostile)
def test_no_value_breaks_out_of_a_websites_words(value: str) -> None:
    words = Wording("Dear {{ client_name }}, thank you.", NAMES)
    html = as_html(words.render(email_samples.sample(client_name=value)), "#14573c")
    allowed = {
        ("p", ("class", "style")),
        ("br", ()),
        ("b", ()),
        ("ul", ("class", "style")),
        ("li", ("style",)),
        ("a", ("class", "href", "style")),
    }
    assert set(_Tags(html).found) <= allowed


@settings(deadline=None)
@given(value=hostile)
def test_no_value_is_read_as_words(value: str) -> None:
    assert Wording("{{ client_name }}", NAMES).render(
        email_samples.sample(client_name=value)
    ).replace("\n", "") in (value.replace("\n", ""), value)


@settings(deadline=None)
@given(name=hostile, subject=hostile)
def test_no_value_breaks_out_of_a_header(name: str, subject: str) -> None:
    values = email_samples.sample(line(name), reference_id=line(subject), is_due="yes")
    letter = compose("payment.invoice_generated", values, LOOK)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = letter.subject
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert [name for name, _ in message.items()] == ["Subject"]


@settings(deadline=None)
@given(text=st.text(alphabet="{}% ifelsnd_amount.\n*-", max_size=200))
def test_reading_never_fails_otherwise(text: str) -> None:
    try:
        words = Wording(text, NAMES).render(email_samples.sample())
    except BadWording:
        return
    assert isinstance(html_parser.unescape(as_html(words, "#14573c")), str)
