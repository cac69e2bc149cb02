"""Which carrier takes the letters of which channel, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.messages.model import Channel
from longmen_server.messages.outbox import OUTBOX_FILE, OutboxFile
from longmen_server.messages.smtp import SmtpCarrier
from longmen_server.messages.webhook import WebhookCarrier
from longmen_server.platform.tokens import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from longmen_server.messages.port import Carrier
    from longmen_server.messages.settings import MessageSettings
    from longmen_server.platform.clock import Clock

__all__ = ["carriers_of"]


def carriers_of(
    settings: MessageSettings, *, data: Path, production: bool, clock: Clock, trusted_clock: Clock
) -> Mapping[Channel, Carrier]:
    """The carrier of each channel; in production a channel without a provider has none.

    Raises:
        KeyFileError: a secret cannot be read.
    """
    carriers: dict[Channel, Carrier] = {}
    if not production:
        outbox = OutboxFile(data / OUTBOX_FILE, clock)
        carriers = dict.fromkeys(Channel, outbox)
    if settings.messages_smtp_host is not None:
        password = settings.messages_smtp_password
        carriers[Channel.EMAIL] = SmtpCarrier(
            settings.messages_smtp_host,
            settings.messages_smtp_port,
            security=settings.messages_smtp_security,
            user=settings.messages_smtp_user,
            password="" if password is None else _secret(password),
            sender=settings.messages_smtp_sender,
            timeout_s=settings.messages_timeout_s,
        )
    if settings.messages_webhook_url is not None and settings.messages_webhook_secret is not None:
        try:
            webhook = WebhookCarrier(
                settings.messages_webhook_url,
                _secret(settings.messages_webhook_secret),
                timeout_s=settings.messages_timeout_s,
                clock=trusted_clock,
            )
        except ValueError:
            message = f"{settings.messages_webhook_secret}: is not base64"
            raise KeyFileError(message) from None
        for name in settings.messages_webhook_channels:
            carriers[Channel[name.upper()]] = webhook
    return carriers


def _secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{path}: cannot be read") from error
