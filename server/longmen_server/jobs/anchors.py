"""Takes anchors of the journals, and has them kept where this server's database is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.audit import anchor, queries
from longmen_server.audit.anchor import Anchor
from longmen_server.audit.places import NotKeptError
from longmen_server.jobs.job import Done

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.audit.places import AnchorPlace
    from longmen_server.jobs.job import Workplace
    from longmen_server.ledger.receipt import ReceiptSigner

__all__ = ["Anchors"]

log = structlog.get_logger("longmen.anchors")

SECOND_US: Final = 1_000_000
AGAIN_SECONDS: Final = 60.0
"""How long a place that has not taken an anchor is left alone."""


class Anchors:
    """Its progress is when the last anchor of a book was taken.

    What a place has not taken is offered to it again until there is a newer one, which says more.
    """

    name = "anchors"

    def __init__(
        self, places: Sequence[AnchorPlace], signer: ReceiptSigner, *, interval_s: int
    ) -> None:
        """Take where anchors are kept, who signs them, and how often one is taken."""
        self._places = places
        self._signer = signer
        self._interval_us = interval_s * SECOND_US
        self._owed: dict[tuple[int, str], tuple[str, float]] = {}
        """Lines that a place has not taken, with when to try again, by book and place."""

    async def take(self, workplace: Workplace) -> Done:
        """Take one if it is time, and offer those again that were not kept."""
        if not self._places:
            return Done(0, more=False)
        book, progress = workplace.book, None
        now_us = workplace.clock.now_us()
        if now_us - workplace.progress >= self._interval_us:
            heads = await queries.heads(workplace.connection, book)
            if heads:
                line = anchor.write(Anchor(book, now_us, tuple(heads)), self._signer)
                for place in self._places:
                    self._owed[book, place.name] = line, 0.0
                progress = now_us
        return Done(await self._offer(workplace), more=False, progress=progress)

    async def _offer(self, workplace: Workplace) -> int:
        """Offer what is owed; return how many anchors were kept."""
        kept, book, now = 0, workplace.book, workplace.clock.monotonic()
        for place in self._places:
            owed = self._owed.get((book, place.name))
            if owed is None or now < owed[1]:
                continue
            line = owed[0]
            try:
                await place.keep(book, line)
            except NotKeptError as error:
                log.warning("anchor_not_kept", place=place.name, book=book, error=str(error))
                self._owed[book, place.name] = line, now + AGAIN_SECONDS
            else:
                kept += 1
                del self._owed[book, place.name]
        return kept
