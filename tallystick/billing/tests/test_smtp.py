"""Mail over a real SMTP server on loopback: what it answers is what becomes of the row."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import django
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from tallystick.accounts.models import Account, Website
from tallystick.billing import mailing
from tallystick.billing.emails import INVOICE_GENERATED, Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making
from tallystick.queue import Budget
from tallystick.queue.drain import RowDrain

pytestmark = pytest.mark.django_db
HOST = "127.0.0.1"
PASSWORD = "correct-horse-battery-9"
OK = "250 OK"


@dataclass
class Postbox:
    """What the server says to each recipient and each message, in turn; the last for ever."""

    to_recipient: list[str] = field(default_factory=lambda: [OK])
    to_data: list[str] = field(default_factory=lambda: [OK])
    taken: list[EmailMessage] = field(default_factory=list)
    seen: list[Session] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - by this name it is called
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = _next(self.to_recipient)
        if said == OK:
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(email.message_from_bytes(content, policy=policy.default))
        self.seen.append(session)
        said = _next(self.to_data)
        if said == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if said == "say nothing":
            await asyncio.Event().wait()
        return said


def _next(answers: list[str]) -> str:
    return answers.pop(0) if len(answers) > 1 else answers[0]


class Server(Controller):
    """On a port of its own."""

    def __init__(self, box: Postbox, **options: Any) -> None:
        super().__init__(box, hostname=HOST, port=0, **options)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # the package says no types


def start(box: Postbox, settings: Settings, **options: Any) -> Server:
    server = Server(box, **options)
    server.start()
    configure(settings, server.port)
    return server


def configure(settings: Settings, port: int, **more: Any) -> None:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION < (6, 1):
        values = {"HOST": HOST, "PORT": port, "TIMEOUT": 5, **more}
        for name, value in {"BACKEND": backend, **values}.items():
            setattr(settings, f"EMAIL_{name}", value)
    else:
        options = {"host": HOST, "port": port, "timeout": 5}
        names = {"HOST_USER": "username", "HOST_PASSWORD": "password"}
        options |= {names.get(name, name.lower()): value for name, value in more.items()}
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def server(box: Postbox, settings: Settings) -> Iterator[Server]:
    settings.INVOICE_EMAIL_ATTACH_PDF = False
    running = start(box, settings)
    yield running
    running.stop()


def work(invoice: Invoice) -> Email:
    """Send what is there, due or not."""
    Email.objects.exclude(state="dead").update(due_at=datetime(2020, 1, 1, tzinfo=UTC))
    RowDrain(Email, mailing.deliver, batch=20)(Budget())
    return Email.objects.get(invoice=invoice, key=INVOICE_GENERATED)


def tries(row: Email) -> list[tuple[str, str]]:
    return [(each.result, each.words) for each in row.tries.all()]


def test_it_is_taken(invoice: Invoice, box: Postbox, server: Server, settings: Settings) -> None:
    settings.INVOICE_EMAIL_ATTACH_PDF = True
    row = work(invoice)
    (message,) = box.taken
    assert (row.outcome, tries(row)) == ("sent", [("sent", "")])
    assert message["Subject"] == f"Invoice #{invoice.reference_id} - Payment Due"
    assert message["To"] == invoice.client.email
    assert message["Reply-To"] == invoice.website.sender_email
    assert message["Message-ID"] == row.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "application/pdf"]
    (document,) = message.iter_attachments()
    assert document.get_content().startswith(b"%PDF-")
    assert document.get_filename() == f"{invoice.number}.pdf"


def test_later_means_later(invoice: Invoice, box: Postbox, server: Server) -> None:
    box.to_recipient[:] = ["451 4.7.1 Greylisted", OK]
    row = work(invoice)
    assert (row.state, tries(row)) == ("due", [("later", "451 4.7.1 Greylisted")])
    assert work(invoice).outcome == "sent"
    assert len(box.taken) == 1


def test_an_address_that_is_refused_is_not_tried_again(
    invoice: Invoice, box: Postbox, server: Server
) -> None:
    box.to_recipient[:] = [f"550 5.1.1 <{invoice.client.email}> unknown"]
    row = work(invoice)
    assert (row.state, row.outcome, box.taken) == ("dead", "bounced", [])
    assert tries(row) == [("bounced", "The address was refused: 550 5.1.1 <[address]> unknown")]


def test_a_message_that_is_refused_is_not_tried_again(
    invoice: Invoice, box: Postbox, server: Server
) -> None:
    box.to_data[:] = ["554 5.7.1 Message rejected"]
    row = work(invoice)
    assert (row.state, row.outcome) == ("dead", "failed")
    assert tries(row) == [("failed", "554 5.7.1 Message rejected")]


def test_a_message_that_is_refused_for_now_is_tried_again(
    invoice: Invoice, box: Postbox, server: Server
) -> None:
    box.to_data[:] = ["452 4.3.1 Out of room", OK]
    assert work(invoice).state == "due"
    assert work(invoice).outcome == "sent"


def test_a_server_that_hangs_up_is_told_again_and_can_tell(
    invoice: Invoice, box: Postbox, server: Server
) -> None:
    """Whether it had taken the message nobody knows; both have the same Message-ID."""
    box.to_data[:] = ["hang up", OK]
    row = work(invoice)
    assert (row.state, row.outcome, row.tries.get().result) == ("due", "", "later")
    row = work(invoice)
    assert row.outcome == "sent"
    assert [message["Message-ID"] for message in box.taken] == [row.message_id] * 2


def test_a_server_that_says_nothing_holds_nobody_up(
    invoice: Invoice, box: Postbox, server: Server, settings: Settings
) -> None:
    configure(settings, server.port, TIMEOUT=0.2)
    box.to_data[:] = ["say nothing", OK]
    row = work(invoice)
    assert (row.state, row.tries.get().result) == ("due", "later")
    assert "timed out" in row.last_error
    assert work(invoice).outcome == "sent"


def test_no_server_at_all(invoice: Invoice, settings: Settings) -> None:
    configure(settings, 1)
    row = work(invoice)
    assert (row.state, row.attempts) == ("due", 1)
    assert "refused" in row.last_error


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
class TestAuthentication:
    @pytest.fixture
    def server(self, box: Postbox, settings: Settings) -> Iterator[Server]:
        settings.INVOICE_EMAIL_ATTACH_PDF = False

        def check(
            server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
        ) -> AuthResult:
            assert isinstance(data, LoginPassword)
            return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

        running = start(
            box, settings, authenticator=check, auth_required=True, auth_require_tls=False
        )
        yield running
        running.stop()

    def test_goes_through(
        self, invoice: Invoice, box: Postbox, server: Server, settings: Settings
    ) -> None:
        configure(settings, server.port, HOST_USER="shop", HOST_PASSWORD=PASSWORD)
        assert work(invoice).outcome == "sent"
        assert box.seen[0].authenticated

    def test_that_fails_waits_for_a_person_and_says_no_password(
        self, invoice: Invoice, box: Postbox, server: Server, settings: Settings
    ) -> None:
        configure(settings, server.port, HOST_USER="shop", HOST_PASSWORD="wrong-horse-battery-9")
        row = work(invoice)
        assert (row.state, box.taken) == ("due", [])
        assert tries(row)[0][1].startswith("535")
        assert "horse" not in row.last_error + tries(row)[0][1]


class TestEncryption:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """Of 127.0.0.1, signed by itself, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / "server.pem"
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    @pytest.fixture
    def server(self, box: Postbox, settings: Settings, certificate: Path) -> Iterator[Server]:
        settings.INVOICE_EMAIL_ATTACH_PDF = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        running = start(box, settings, tls_context=context, require_starttls=True)
        configure(settings, running.port, USE_TLS=True)
        yield running
        running.stop()

    def test_is_used(
        self,
        invoice: Invoice,
        box: Postbox,
        server: Server,
        certificate: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert work(invoice).outcome == "sent"
        assert box.seen[0].ssl is not None

    def test_with_somebody_else_is_no_encryption(
        self, invoice: Invoice, box: Postbox, server: Server
    ) -> None:
        row = work(invoice)
        assert (row.state, box.taken) == ("due", [])
        assert "CERTIFICATE_VERIFY_FAILED" in row.last_error


@pytest.mark.parametrize(
    "name",
    [
        "Ada\r\nBcc: everyone@example.org\r\n\r\nHello",
        "İsmail \u202eevil\u202c Şahin",
        "👩\u200d💻 شركة \u001b[31m",
        "x" * 5_000,
        '"><script>alert(1)</script>',
        "=?utf-8?q?=0d=0aBcc:_everyone@example.org?=",
        '"; <a@b.example>, c@d.example',
    ],
)
def test_hostile_names_break_nothing(
    box: Postbox, server: Server, name: str, website: Website
) -> None:
    type(website).objects.update(sender_name=name[:100], name=name[:100])
    website.refresh_from_db()
    account = making.account(website)
    person = making.owner(making.draft(account))
    type(person).objects.filter(pk=person.pk).update(first_name=name[:150], last_name=name[:150])
    account.refresh_from_db()
    invoice = making.issued(account, title=name[:200], description=name)
    assert work(invoice).outcome == "sent"
    (message,) = box.taken
    assert message["Bcc"] is None
    assert message["To"] == account.email
    assert [address.addr_spec for address in message["From"].addresses] == [website.sender_email]
    assert message["Subject"].startswith("Invoice #")
    assert len(message.defects) == 0
    html = message.get_body(("html",))
    assert html is not None
    assert "<script" not in html.get_content()


def test_a_description_of_a_megabyte_does_not_become_the_mail(
    box: Postbox, server: Server, account: Account
) -> None:
    invoice = making.issued(account, description="all you can read " * 65_536)
    assert work(invoice).outcome == "sent"
    assert len(bytes(box.taken[0])) < 50_000


def test_an_international_domain_is_written_as_servers_want_it(
    invoice: Invoice, box: Postbox, server: Server
) -> None:
    person = making.owner(invoice)
    type(person).objects.filter(pk=person.pk).update(email="ada@büro.example")
    assert work(invoice).outcome == "sent"
    assert box.taken[0]["To"] == "ada@xn--bro-hoa.example"
