"""Posting to merchants' servers: signed, to a pinned address, for a bounded time."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx
from standardwebhooks.webhooks import Webhook

from longmen_server.platform.outbound import (
    BlockedUrlError,
    destination_of,
    pinned_address,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.platform.clock import Clock
    from longmen_server.platform.outbound import Resolve

__all__ = ["Answer", "Poster", "secret_text"]

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with


class Answer(NamedTuple):
    """What a receiver made of a post."""

    status: int
    """HTTP status; 0 without an answer."""
    failure: str
    """Why it was not taken, in a word; empty when it was."""


def secret_text(secret: bytes) -> str:
    """Return a secret as its merchant gets it, by the Standard Webhooks scheme."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


class Poster:
    """Posts bodies; nothing of an answer is read but its status."""

    def __init__(
        self,
        *,
        clock: Clock,
        timeout_s: float,
        development: bool,
        look_up: Resolve = resolve,
    ) -> None:
        """Take what posting needs.

        Args:
            clock: the trusted clock, which receivers compare with their own.
            timeout_s: how long an attempt may take in all.
            development: lets http and this machine itself.
            look_up: finds the addresses of names.
        """
        self._clock = clock
        self._timeout_s = timeout_s
        self._development = development
        self._look_up = look_up
        # A connection is never kept: the next receiver at the address may be another's.
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def post(self, url: str, event_id: str, body: str, secrets: Sequence[bytes]) -> Answer:
        """Post a body, signed by every secret; any 2xx status means that it was taken."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, event_id, body, secrets)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, "timeout")
        except BlockedUrlError as error:
            return Answer(0, f"blocked_{error.rule}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            return Answer(0, "unreachable")

    async def _post(self, url: str, event_id: str, body: str, secrets: Sequence[bytes]) -> Answer:
        where = destination_of(url, development=self._development)
        address = await pinned_address(where, development=self._development, look_up=self._look_up)
        shown = f"[{address}]" if ":" in address else address
        at = self._clock.now()
        signatures = [
            Webhook(base64.b64encode(secret).decode()).sign(event_id, at, body)
            for secret in secrets
        ]
        request = self._client.build_request(
            "POST",
            f"{where.scheme}://{shown}:{where.port}{where.path}",
            content=body.encode(),
            headers={
                "host": f"{where.host}:{where.port}",
                "content-type": "application/json",
                "user-agent": "longmen-webhooks",
                "webhook-id": event_id,
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": " ".join(signatures),
            },
            extensions={"sni_hostname": where.host},
        )
        answer = await self._client.send(request, stream=True)
        await answer.aclose()
        if answer.is_success:
            return Answer(answer.status_code, "")
        if answer.is_redirect:
            return Answer(answer.status_code, "redirect")
        return Answer(answer.status_code, f"http_{answer.status_code}")

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()
