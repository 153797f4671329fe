"""The console, the control API, the mailbox."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import httpx2
import pytest

from tallystick.sandbox.running import Running


def send(sandbox: Running, subject: str = "Your invoice", to: str = "ada@example.org") -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Billing <billing@example.org>"
    message["To"] = to
    message.set_content("Pay: http://localhost/pay/invoice/abc/.\n<b>not bold</b>")
    message.add_alternative('<p>Grüße</p><img src="cid:logo"><script>1</script>', subtype="html")
    picture = message.get_payload(1)
    assert isinstance(picture, EmailMessage)
    picture.add_related(b"PNG", "image", "png", cid="<logo>")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename='a"b\u00fc.pdf')
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as smtp:
        smtp.send_message(message, to_addrs=[to, "hidden@example.org"])


def test_a_mail_is_kept_whole(sandbox: Running) -> None:
    send(sandbox)
    (brief,) = sandbox.mails(to="Hidden@example.org")
    assert brief["subject"] == "Your invoice"
    assert sandbox.mails(to="nobody@example.org") == []
    assert sandbox.mails(subject="INVOICE") == [brief]
    whole = sandbox.mail(brief["id"])
    assert "http://localhost/pay/invoice/abc/" in whole["text"]
    assert "Grüße" in whole["html"]
    assert "data:image/png;base64,UE5H" in whole["html"]
    assert [(a["type"], a["size"]) for a in whole["attachments"]] == [("application/pdf", 4)]


def test_the_pages_of_a_mail(sandbox: Running, browser: httpx2.Client) -> None:
    send(sandbox, subject="<i>Invoice</i>")
    number = sandbox.mails()[0]["id"]
    assert "&lt;i&gt;Invoice" in browser.get("/mail/").text
    page = browser.get(f"/mail/{number}").text
    assert '<a href="http://localhost/pay/invoice/abc/" target="_blank">' in page
    assert "&lt;b&gt;not bold" in page
    assert "<script>1</script>" not in page
    html = browser.get(f"/mail/{number}/html?theme=dark")
    assert "sandbox" in html.headers["content-security-policy"]
    assert "allow-scripts" not in html.headers["content-security-policy"]
    attachment = browser.get(f"/mail/{number}/attachments/0")
    assert attachment.content == b"%PDF"
    assert attachment.headers["content-disposition"] == 'attachment; filename="a_b_.pdf"'


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/mail/0", "/mail/999999", "/mail/999999/html", "/stands/none", "/xero"],
)
def test_a_page_that_is_not_there(browser: httpx2.Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "nothing here" in answer.text


def test_many_mails_have_pages(sandbox: Running, browser: httpx2.Client) -> None:
    for number in range(51):
        send(sandbox, subject=f"Mail {number}")
    assert "51 mails." in browser.get("/mail/").text
    second = browser.get("/mail/?page=2").text
    assert "Mail 0" in second
    assert "Page 2 of 2" in second
    assert "51 mails" in browser.get("/mail/?page=x").text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"Subject: =?x?q?y?=\r\nContent-Type: text/plain; charset=none\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>alone",
        b"From: \x80\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_a_broken_mail_is_shown_all_the_same(
    sandbox: Running, browser: httpx2.Client, raw: bytes
) -> None:
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port) as smtp:
        smtp.sendmail("a@b.c", ["d@e.f"], raw)
    number = sandbox.mails()[0]["id"]
    assert sandbox.mail(number)["to"] == ["d@e.f"]
    assert browser.get(f"/mail/{number}").status_code == 200
    assert browser.get("/mail/").status_code == 200


def test_the_console_shows_what_is_held(
    sandbox: Running, browser: httpx2.Client, xero: httpx2.Client
) -> None:
    assert "Xero answers as it should." in browser.get("/").text
    xero.put("/Contacts", json={"Contacts": [{"Name": "<b>Ada</b>"}]})
    sandbox.xero.act("seed", invoices_count=30)
    page = browser.get("/stands/xero").text
    assert "&lt;b&gt;Ada" in page
    assert "SEED-000030" in page
    assert "5 older ones are not shown" in page
    assert "/api.xro/2.0/Contacts" in page


def test_faults_by_the_switches(browser: httpx2.Client, xero: httpx2.Client) -> None:
    form = {"kind": "status", "often": "once", "status": "502", "method": "GET", "path": "org"}
    page = browser.post("/stands/xero/faults", data=form)
    assert "1 fault is on at Xero." in page.text
    assert xero.get("/Organisation").status_code == 502
    assert xero.get("/Organisation").status_code == 200
    form = {"kind": "too many", "often": "0.3", "retry_after": ""}
    assert "30% of calls" in browser.post("/stands/xero/faults", data=form).text
    bad = browser.post("/stands/xero/faults", data={"kind": "latency", "seconds": "x"})
    assert "seconds: " in bad.text
    assert "kind: " in browser.post("/stands/xero/faults", data={"kind": "none"}).text
    number = browser.get("/sandbox/api/xero/faults").json()["faults"][-1]["number"]
    page = browser.post("/stands/xero/faults/off", data={"number": number})
    assert "Xero answers as it should." in page.text


def test_orders_by_the_forms(sandbox: Running, browser: httpx2.Client) -> None:
    def order(name: str, **form: str) -> str:
        return browser.post(f"/stands/xero/orders/{name}", data=form).text

    assert "Done: seed." in order("seed", invoices_count="2", prefix="S")
    assert "Done: pay invoice." in order("pay_invoice", invoice="S-000001", amount="4")
    assert "Done: edit invoice." in order(
        "edit_invoice", invoice="S-000002", fields='{"Reference": "x"}'
    )
    assert "Done: set limits." in order("set_limits", limits='{"minute": 5}')
    assert "Done: set idempotency." in order("set_idempotency", on="false")
    assert sandbox.xero.act("organisations")[0]["idempotency"] is False
    for name, form in (
        ("pay_invoice", {"invoice": "none"}),
        ("pay_invoice", {"invoice": "S-000001", "amount": "x"}),
        ("seed", {"invoices_count": "x"}),
        ("set_limits", {"limits": "["}),
        ("set_limits", {"limits": "[1]"}),
        ("set_limits", {"limits": '{"minute": 0}'}),
        ("set_lock_date", {"day": "never"}),
        ("respond", {}),
    ):
        assert "Not done: " in order(name, **form)


def test_other_sites_order_nothing(sandbox: Running, browser: httpx2.Client) -> None:
    headers = {"origin": "https://evil.example"}
    for path in ("/stands/xero/reset", "/sandbox/api/reset", "/sandbox/api/xero/faults"):
        assert browser.post(path, headers=headers).status_code == 403
    own = {"origin": sandbox.url}
    assert browser.post("/stands/xero/reset", headers=own).status_code == 200


def test_pages_carry_a_strict_policy(browser: httpx2.Client) -> None:
    policy = browser.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for path in ("/static/sandbox.css", "/static/refresh.js", "/static/mark.svg"):
        assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "none/ledger", None, 404),
        ("GET", "mail/999999", None, 404),
        ("DELETE", "xero/faults/99", None, 404),
        ("POST", "xero/faults", b"{", 400),
        ("POST", "xero/faults", b'{"kind": "none"}', 400),
        ("POST", "xero/faults", b'{"kind": "html", "more": 1}', 400),
        ("POST", "xero/actions/none", b"{}", 400),
        ("POST", "xero/actions/seed", b"[]", 400),
        ("POST", "xero/actions/pay_invoice", b'{"invoice": "none"}', 400),
        ("POST", "clock", b'{"advance": 1e12}', 400),
        ("POST", "down", b'{"seconds": 1e9}', 400),
        ("GET", "xero/calls?after=x", None, 400),
        ("GET", "xero/reset", None, 405),
    ],
)
def test_bad_orders_are_refused_in_words(
    browser: httpx2.Client, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = browser.request(method, f"/sandbox/api/{path}", content=body)
    assert answer.status_code == status
    assert answer.text


def test_the_api_tells_all(sandbox: Running, browser: httpx2.Client, xero: httpx2.Client) -> None:
    xero.put("/Contacts", json={"Contacts": [{"Name": "Ada"}]})
    stands = browser.get("/sandbox/api/").json()["stands"]
    assert "pay_invoice" in stands["xero"]["actions"]
    assert stands["xero"]["url"] == sandbox.xero.url
    ledger = browser.get("/sandbox/api/xero/ledger").json()
    assert ledger["doubled"] == []
    assert list(ledger["made"].values()) == [{"contacts": {"Ada": 1}}]
    titles = [table["title"] for table in browser.get("/sandbox/api/xero/state").json()]
    assert "Contacts of Demo Company (UK)" in titles
    number = sandbox.xero.fault("html")
    assert browser.get("/sandbox/api/xero/faults").json()["faults"][0]["kind"] == "html"
    browser.delete(f"/sandbox/api/xero/faults/{number}")
    assert browser.get("/sandbox/api/xero/faults").json()["faults"] == []
    assert sandbox.xero.calls(after=sandbox.xero.calls()[-1]["number"]) == []
    sandbox.advance(3600)
    assert "1 h 0 min ahead" in browser.get("/").text
