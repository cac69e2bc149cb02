"""Where anchors are kept: a folder that is somebody else's, or a server that takes posts."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    from pathlib import Path

    from longmen_server.audit.settings import AuditSettings

__all__ = ["AnchorFolder", "AnchorHook", "AnchorPlace", "NotKeptError", "places_of"]


class NotKeptError(Exception):
    """A place has not taken an anchor; the message says why in a word."""


class AnchorPlace(Protocol):
    """Where anchors are kept."""

    @property
    def name(self) -> str:
        """What it is called in logs."""

    async def keep(self, book: int, line: str) -> None:
        """Keep an anchor.

        Raises:
            NotKeptError: it is not kept there.
        """


class AnchorFolder:
    """Appends anchors to a file for each book, on a volume that this machine can only add to."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        """Take the folder, which has to be there: a mount that is missing is no place."""
        self._folder = folder

    async def keep(self, book: int, line: str) -> None:
        """Append it, and have it on the disk."""
        try:
            await asyncio.to_thread(self._append, book, line)
        except OSError as error:
            raise NotKeptError(error.strerror or type(error).__name__) from error

    def _append(self, book: int, line: str) -> None:
        path = self._folder / f"anchors-{book}.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            # In one write, so that two machines never share a line.
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())


class AnchorHook:
    """Posts anchors as JSON to a server of somebody else's; each is signed in itself."""

    name = "url"

    def __init__(
        self, url: str, *, timeout_s: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take where to post.

        Args:
            url: of the server.
            timeout_s: how long a post may take.
            transport: of the HTTP client; None is the network.
        """
        self._url = url
        self._timeout_s = timeout_s
        self._transport = transport

    async def keep(self, book: int, line: str) -> None:
        """Post it; any 2xx answer means that it was kept."""
        del book  # it stands in the line
        # One post an hour: a connection of its own each time leaves nothing open meanwhile.
        client = httpx.AsyncClient(
            timeout=self._timeout_s,
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
        )
        try:
            async with client:
                answer = await client.post(
                    self._url,
                    content=line.encode(),
                    headers={"content-type": "application/json"},
                )
        except httpx.HTTPError as error:
            raise NotKeptError(type(error).__name__) from None
        if not answer.is_success:
            raise NotKeptError(f"http_{answer.status_code}")


def places_of(settings: AuditSettings) -> list[AnchorPlace]:
    """Return the places that the settings name."""
    places: list[AnchorPlace] = []
    if settings.anchor_folder is not None:
        places.append(AnchorFolder(settings.anchor_folder))
    if settings.anchor_url is not None:
        places.append(AnchorHook(settings.anchor_url, timeout_s=settings.anchor_timeout_s))
    return places
