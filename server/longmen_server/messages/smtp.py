"""E-mails by SMTP submission."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

from longmen_server.messages.port import UndeliverableError
from longmen_server.platform.ids import MESSAGE

if TYPE_CHECKING:
    from longmen_server.messages.model import Letter

__all__ = ["SmtpCarrier"]

_PERMANENT: Final = 500
"""SMTP replies from here on are for good (RFC 5321, 4.2.1)."""


class SmtpCarrier:
    """Submits each letter over a connection of its own, in a thread: mails are few and slow."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: str,
        user: str,
        password: str,
        sender: str,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Take the mail server.

        Args:
            host: its name.
            port: its TCP port.
            security: starttls, tls or plain.
            user: to log in as; empty does not log in.
            password: the user's.
            sender: address that mails come from.
            timeout_s: how long each step may take.
            context: whom to trust; None trusts the system's authorities.
        """
        self._host = host
        self._port = port
        self._security = security
        self._user = user
        self._password = password
        self._sender = sender
        self._timeout_s = timeout_s
        self._context = context or ssl.create_default_context()

    async def deliver(self, letter: Letter) -> None:
        """Submit a letter.

        Raises:
            UndeliverableError: the mail server did not take it.
        """
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = letter.recipient
        mail["Subject"] = letter.subject
        domain = self._sender.rpartition("@")[2]
        mail["Message-ID"] = f"<{MESSAGE.encode(letter.message_id)}@{domain}>"
        mail.set_content(letter.text)
        try:
            await asyncio.to_thread(self._submit, mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise UndeliverableError("refused", final=min(codes) >= _PERMANENT) from None
        except smtplib.SMTPResponseException as error:
            code = int(error.smtp_code)
            raise UndeliverableError(f"smtp_{code}", final=code >= _PERMANENT) from None
        except (smtplib.SMTPException, OSError):
            raise UndeliverableError("unreachable", final=False) from None

    async def close(self) -> None:
        """Nothing is kept open."""

    def _submit(self, mail: EmailMessage) -> None:
        if self._security == "tls":
            link: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._timeout_s, context=self._context
            )
        else:
            link = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
        with link:
            if self._security == "starttls":
                link.starttls(context=self._context)
            if self._user:
                link.login(self._user, self._password)
            link.send_message(mail)
