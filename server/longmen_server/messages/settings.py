"""How messages to customers are sent: every setting with its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - config reads the types when the server runs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECURITIES = ("starttls", "tls", "plain")
CHANNELS = ("sms", "email", "push")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSettings:
    """The ways messages go. A channel without one ends in the outbox file of the data folder."""

    messages_webhook_url: str | None = None
    """Where messages are posted as JSON, signed by the Standard Webhooks scheme, for a gateway to
    send on; https, except to this machine."""
    messages_webhook_secret: Path | None = None
    """File with the secret that signs them, in base64, 24 to 64 bytes."""
    messages_webhook_channels: tuple[str, ...] = ("sms", "push")
    """Channels that go by the webhook: sms, email, push."""
    messages_smtp_host: str | None = None
    """Mail server that takes e-mails, unless they go by the webhook."""
    messages_smtp_port: int = 587
    """Its TCP port; 587 is the one for submission."""
    messages_smtp_security: str = "starttls"
    """How the link to it is encrypted: starttls, tls, or plain, which only this machine may be."""
    messages_smtp_user: str = ""
    """Name to log in with; empty logs in as nobody."""
    messages_smtp_password: Path | None = None
    """File with the password of that name."""
    messages_smtp_sender: str = ""
    """Address that e-mails come from."""
    messages_timeout_s: float = 5.0
    """Seconds a provider may take for one message before the attempt has failed."""
    messages_attempts_max: int = 8
    """Attempts before a message is given up; with their pauses that is about four minutes."""
    messages_parallel_max: int = 32
    """Messages on their way at the same time for each book."""

    def problems(self, *, production: bool) -> Iterator[tuple[str, str]]:
        """What cannot work: the name of a setting and what is wrong with it."""
        yield from self._webhook_problems(production=production)
        yield from self._smtp_problems()
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                yield name, f"{value} is outside {low} to {high}"

    def _webhook_problems(self, *, production: bool) -> Iterator[tuple[str, str]]:
        url = self.messages_webhook_url
        if url is not None and not url.startswith("https://") and not _is_local(url):
            yield "messages_webhook_url", "must be https, except to this machine"
        if url is not None and self.messages_webhook_secret is None:
            yield "messages_webhook_secret", "needed to sign what is posted"
        if production and (url is None or "sms" not in self.messages_webhook_channels):
            yield "messages_webhook_url", "needed in production: codes are sent through it"
        if not set(self.messages_webhook_channels) <= set(CHANNELS):
            yield "messages_webhook_channels", f"choose from {', '.join(CHANNELS)}"

    def _smtp_problems(self) -> Iterator[tuple[str, str]]:
        security = self.messages_smtp_security
        if security not in SECURITIES:
            yield "messages_smtp_security", f"choose one of {', '.join(SECURITIES)}"
        if self.messages_smtp_host is None:
            return
        if security == "plain" and self.messages_smtp_host not in _LOCAL:
            yield "messages_smtp_security", "plain is for a mail server on this machine"
        if "@" not in self.messages_smtp_sender:
            yield "messages_smtp_sender", "needed: the address e-mails come from"


_RANGES = (
    ("messages_smtp_port", 1, 65535),
    ("messages_timeout_s", 0.1, 60),
    ("messages_attempts_max", 1, 100),
    ("messages_parallel_max", 1, 1000),
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def _is_local(url: str) -> bool:
    """Whether an http URL names this machine."""
    return any(
        url.startswith((f"http://{host}:", f"http://{host}/"))
        for host in ("127.0.0.1", "localhost", "[::1]")
    )
