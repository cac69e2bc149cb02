"""Messages by signed HTTP webhook, for the bank's own SMS or push gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import httpx
from standardwebhooks.webhooks import Webhook

from longmen_server.messages.port import UndeliverableError
from longmen_server.platform.ids import MESSAGE

if TYPE_CHECKING:
    from longmen_server.messages.model import Letter
    from longmen_server.platform.clock import Clock

__all__ = ["WebhookCarrier"]

#: Answers that mean "not now"; every other refusal is for good.
_LATER: Final = frozenset({408, 425, 429})


class WebhookCarrier:
    """Posts letters as JSON, signed by the Standard Webhooks scheme.

    The header webhook-id is the message's id, the same at every attempt, so that a gateway can drop
    what it has had before.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        timeout_s: float,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take where to post.

        Args:
            url: the gateway's.
            secret: signs, in base64.
            timeout_s: how long an attempt may take.
            clock: the trusted clock, which the gateway compares with its own.
            transport: of the HTTP client; None is the network.

        Raises:
            ValueError: the secret is not base64.
        """
        self._url = url
        self._webhook = Webhook(secret)
        self._clock = clock
        self._client = httpx.AsyncClient(
            timeout=timeout_s, follow_redirects=False, trust_env=False, transport=transport
        )

    async def deliver(self, letter: Letter) -> None:
        """Post a letter; any 2xx answer means it was taken.

        Raises:
            UndeliverableError: another answer, or none.
        """
        message_id = MESSAGE.encode(letter.message_id)
        body = json.dumps(
            {
                "message_id": message_id,
                "channel": letter.channel.name.lower(),
                "kind": letter.kind,
                "recipient": letter.recipient,
                "subject": letter.subject,
                "text": letter.text,
            },
            ensure_ascii=False,
        )
        at = self._clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, at, body),
        }
        try:
            answer = await self._client.post(self._url, content=body.encode(), headers=headers)
        except httpx.TimeoutException:
            raise UndeliverableError("timeout", final=False) from None
        except httpx.HTTPError:
            raise UndeliverableError("unreachable", final=False) from None
        if not answer.is_success:
            later = answer.is_server_error or answer.status_code in _LATER
            raise UndeliverableError(f"http_{answer.status_code}", final=not later)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
