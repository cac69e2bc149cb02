"""The ways messages go: a signed webhook, a mail server, and the development outbox."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner
from standardwebhooks.webhooks import Webhook

from longmen_server.config import ConfigError, read_settings
from longmen_server.console.messages import messages
from longmen_server.messages.carriers import carriers_of
from longmen_server.messages.model import Channel, Letter, backoff_us
from longmen_server.messages.outbox import OUTBOX_FILE, OutboxFile, read_outbox
from longmen_server.messages.port import UndeliverableError
from longmen_server.messages.settings import MessageSettings
from longmen_server.messages.smtp import SmtpCarrier
from longmen_server.messages.webhook import WebhookCarrier
from longmen_server.platform.clock import SystemClock
from longmen_server.platform.ids import MESSAGE, MessageId
from longmen_server.platform.tokens import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "whsec_c2lnbiBtZXNzYWdlcyB3aXRoIHRoaXMga2V5IQ=="
MESSAGE_ID = MessageId(bytes.fromhex("0190e7a26c1f7c3a9d1e0123456789ab"))


def letter(recipient: str = "+8613800138000", text: str = "Your code is 314159.") -> Letter:
    return Letter(
        message_id=MESSAGE_ID,
        channel=Channel.SMS,
        kind="registration_code",
        recipient=recipient,
        subject="Longmen",
        text=text,
    )


# -- The webhook.


def webhook(answer: Callable[[httpx.Request], httpx.Response]) -> WebhookCarrier:
    return WebhookCarrier(
        "https://gateway.bank.example/messages",
        SECRET,
        timeout_s=1,
        clock=SystemClock(),
        transport=httpx.MockTransport(answer),
    )


async def test_a_gateway_gets_what_its_library_verifies() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    await webhook(answer).deliver(letter())
    (request,) = seen
    told = Webhook(SECRET).verify(request.content, dict(request.headers))
    assert told == {
        "message_id": MESSAGE.encode(MESSAGE_ID),
        "channel": "sms",
        "kind": "registration_code",
        "recipient": "+8613800138000",
        "subject": "Longmen",
        "text": "Your code is 314159.",
    }
    assert request.headers["webhook-id"] == MESSAGE.encode(MESSAGE_ID)


@pytest.mark.parametrize(
    ("status", "final"),
    [(301, True), (400, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
async def test_what_a_gateway_answers_decides_whether_to_come_back(
    status: int, *, final: bool
) -> None:
    carrier = webhook(lambda _: httpx.Response(status, headers={"location": "https://elsewhere/"}))
    with pytest.raises(UndeliverableError) as caught:
        await carrier.deliver(letter())
    assert (caught.value.failure, caught.value.final) == (f"http_{status}", final)


@pytest.mark.parametrize(
    ("error", "failure"),
    [(httpx.ReadTimeout("slow"), "timeout"), (httpx.ConnectError("gone"), "unreachable")],
)
async def test_a_gateway_that_is_not_there_is_tried_again(error: Exception, failure: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(UndeliverableError) as caught:
        await webhook(answer).deliver(letter())
    assert (caught.value.failure, caught.value.final) == (failure, False)


# -- The mail server.


class _Mail(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321 to take a mail, or to refuse its recipient."""

    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline().strip():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    text += part
                server.mails.append(text.decode())
                self.wfile.write(b"250 taken\r\n")
            elif word == b"RCPT":
                self.wfile.write(server.recipient_answer + b"\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")


@contextmanager
def mail_server(recipient_answer: bytes = b"250 fine") -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.daemon_threads = True
        running: Any = server
        running.mails = []
        running.recipient_answer = recipient_answer
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def mailer(port: int, security: str = "plain") -> SmtpCarrier:
    return SmtpCarrier(
        "127.0.0.1",
        port,
        security=security,
        user="",
        password="",
        sender="wallet@bank.example",
        timeout_s=2,
    )


async def test_a_mail_server_gets_the_letter_under_the_messages_id() -> None:
    with mail_server() as server:
        await mailer(server.server_address[1]).deliver(letter("lin@home.example"))
    (mail,) = server.mails
    assert "To: lin@home.example" in mail
    assert f"Message-ID: <{MESSAGE.encode(MESSAGE_ID)}@bank.example>" in mail
    assert "Your code is 314159." in mail


@pytest.mark.parametrize(("answer", "final"), [(b"550 unknown", True), (b"450 later", False)])
async def test_a_refused_recipient_is_final_when_the_mail_server_says_so(
    answer: bytes, *, final: bool
) -> None:
    with mail_server(answer) as server, pytest.raises(UndeliverableError) as caught:
        await mailer(server.server_address[1]).deliver(letter("nobody@home.example"))
    assert (caught.value.failure, caught.value.final) == ("refused", final)


async def test_a_letter_never_goes_without_the_encryption_asked_for() -> None:
    with mail_server() as server, pytest.raises(UndeliverableError) as caught:
        await mailer(server.server_address[1], "starttls").deliver(letter("lin@home.example"))
    assert not caught.value.final
    assert not server.mails


async def test_a_mail_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(UndeliverableError) as caught:
            await mailer(reserved.getsockname()[1]).deliver(letter("lin@home.example"))
    assert (caught.value.failure, caught.value.final) == ("unreachable", False)


# -- The development outbox.


async def test_the_outbox_is_ours_alone_and_shown_by_the_command(tmp_path: Path) -> None:
    outbox = OutboxFile(tmp_path / OUTBOX_FILE, SystemClock())
    await outbox.deliver(letter())
    await outbox.deliver(letter("+8613900139000", "Somebody signed in."))
    assert (tmp_path / OUTBOX_FILE).stat().st_mode & 0o777 == 0o600
    assert [one["recipient"] for one in read_outbox(tmp_path / OUTBOX_FILE)] == [
        "+8613800138000",
        "+8613900139000",
    ]
    shown = CliRunner().invoke(
        messages, ["--data", str(tmp_path), "--to", "+8613800138000", "--text"]
    )
    assert shown.output == "Your code is 314159.\n"
    shown = CliRunner().invoke(messages, ["--data", str(tmp_path), "--limit", "1", "--json"])
    assert json.loads(shown.output)["text"] == "Somebody signed in."
    shown = CliRunner().invoke(messages, ["--data", str(tmp_path)])
    assert "+8613800138000" in shown.output


def test_an_empty_outbox_is_told(tmp_path: Path) -> None:
    shown = CliRunner().invoke(messages, ["--data", str(tmp_path), "--text"])
    assert (shown.exit_code, shown.output) == (1, "longmen: no message\n")


async def test_a_full_outbox_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longmen_server.messages.outbox.BYTES_MAX", 100)
    outbox = OutboxFile(tmp_path / OUTBOX_FILE, SystemClock())
    for text in ("first", "second"):
        await outbox.deliver(letter(text=text))
    assert [one["text"] for one in read_outbox(tmp_path / OUTBOX_FILE)] == ["second"]


# -- Which way a channel goes.


def chosen(tmp_path: Path, *, production: bool = False, **settings: Any) -> dict[str, str]:
    clock = SystemClock()
    carriers = carriers_of(
        MessageSettings(**settings),
        data=tmp_path,
        production=production,
        clock=clock,
        trusted_clock=clock,
    )
    return {channel.name: type(carrier).__name__ for channel, carrier in carriers.items()}


def test_each_channel_goes_the_way_it_is_set_up_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    everything: dict[str, Any] = {
        "messages_webhook_url": "https://gateway.bank.example/",
        "messages_webhook_secret": secret,
        "messages_smtp_host": "mail.bank.example",
        "messages_smtp_sender": "wallet@bank.example",
        "messages_smtp_password": secret,
    }
    ways = {"SMS": "WebhookCarrier", "EMAIL": "SmtpCarrier", "PUSH": "WebhookCarrier"}
    assert chosen(tmp_path, **everything) == ways
    assert chosen(tmp_path) == dict.fromkeys(("SMS", "EMAIL", "PUSH"), "OutboxFile")
    assert chosen(tmp_path, production=True) == {}


def test_a_secret_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    url = "https://gateway.bank.example/"
    with pytest.raises(KeyFileError, match="cannot be read"):
        chosen(tmp_path, messages_webhook_url=url, messages_webhook_secret=secret)
    secret.write_text("%%%not base64%")
    with pytest.raises(KeyFileError, match="is not base64"):
        chosen(tmp_path, messages_webhook_url=url, messages_webhook_secret=secret)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"WEBHOOK_URL": "http://gateway/"}, "MESSAGES_WEBHOOK_URL: must be https"),
        ({"WEBHOOK_URL": "https://gateway/"}, "MESSAGES_WEBHOOK_SECRET: needed to sign"),
        ({"WEBHOOK_CHANNELS": "sms,pigeon"}, "MESSAGES_WEBHOOK_CHANNELS: choose from"),
        ({"SMTP_SECURITY": "none"}, "MESSAGES_SMTP_SECURITY: choose one of"),
        (
            {"SMTP_HOST": "mail", "SMTP_SECURITY": "plain", "SMTP_SENDER": "a@b"},
            "MESSAGES_SMTP_SECURITY: plain is for",
        ),
        ({"SMTP_HOST": "mail"}, "MESSAGES_SMTP_SENDER: needed"),
        ({"TIMEOUT_S": "0"}, "MESSAGES_TIMEOUT_S: 0.0 is outside"),
    ],
)
def test_settings_that_cannot_work_are_told(variables: dict[str, str], problem: str) -> None:
    given = {f"LONGMEN_MESSAGES_{name}": value for name, value in variables.items()}
    with pytest.raises(ConfigError, match=problem):
        read_settings(given)


def test_pauses_between_attempts_grow_up_to_a_minute() -> None:
    assert [backoff_us(n) // 1_000_000 for n in (0, 1, 2, 5, 6, 100)] == [1, 2, 4, 32, 60, 60]
