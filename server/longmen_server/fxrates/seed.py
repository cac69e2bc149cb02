"""The rates a book begins with: the European Central Bank's, from the package that brings them."""

from __future__ import annotations

import io
import zipfile
from importlib import resources
from typing import TYPE_CHECKING, Final

from longmen_server.fxrates import queries
from longmen_server.fxrates.commands import ImportRates
from longmen_server.fxrates.feeds import FRANKFURT, parse_feed
from longmen_server.platform.clock import from_microseconds
from longmen_server.platform.ids import RateImportId, new_id

if TYPE_CHECKING:
    from longmen_server.engine.engine import Engine
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers

__all__ = ["packaged_history", "seed_rates"]

PACKAGE: Final = "currency_converter"
FILE: Final = "eurofxref-hist.zip"
SEED_SECONDS: Final = 10.0
"""How long it may take; a later start tries again."""


def packaged_history() -> bytes:
    """Return the whole history since 1999 as the package has it, a ZIP of 0.6 MB."""
    return resources.files(PACKAGE).joinpath(FILE).read_bytes()


def newest_days(count: int) -> bytes:
    """Return the newest days of the packaged history as CSV; it is written newest first."""
    with zipfile.ZipFile(io.BytesIO(packaged_history())) as archive:
        lines = archive.read(archive.namelist()[0]).splitlines(keepends=True)
    return b"".join(lines[: count + 1])


async def seed_rates(
    engine: Engine, readers: Readers, clock: Clock, book: int, *, days: int, now: float
) -> None:
    """Let a book that has no rates begin with some.

    Args:
        engine: where they are taken in, like any feed.
        readers: to see whether there are some.
        clock: business time, which nothing may come after.
        book: one of the engine's books.
        days: how many of the newest days; 0 means none.
        now: monotonic seconds of the engine's clock.

    Raises:
        Refusal: the engine could not take them, or the clock stands before all of them.
    """
    if not days:
        return
    async with readers.connection(deadline=now + SEED_SECONDS) as connection:
        if await queries.has_rates(connection, book):
            return
    today = from_microseconds(clock.now_us()).astimezone(FRANKFURT).date()
    command = ImportRates(
        book,
        None,
        import_id=RateImportId(new_id(book, clock)),
        sheets=parse_feed(newest_days(days), today=today),
    )
    await engine.submit(command, deadline=now + SEED_SECONDS)
