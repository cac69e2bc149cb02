"""`longmen audit verify`: the journals as they are against anchors that were kept elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import IsolationLevel

from longmen_server import migrate
from longmen_server.audit import anchor, queries
from longmen_server.audit.anchor import BrokenAnchorError
from longmen_server.ledger.receipt import ReceiptSigner
from longmen_server.platform.database import connect
from longmen_server.platform.server_check import StorageError, one_line
from longmen_server.supervisor import RECEIPT_KEY_FILE, StartError
from longmen_server.verifying import readable_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from longmen_server.audit.anchor import Anchor
    from longmen_server.config import Settings

__all__ = ["Result", "check", "own_key"]


@dataclass
class Result:
    """What came of a comparison."""

    anchors: list[Anchor] = field(default_factory=list)
    """Those that were good and of books that were asked for."""
    faults: list[str] = field(default_factory=list)
    """What is wrong, one line each; none means that every anchored block is there unchanged."""

    @property
    def span(self) -> str:
        """From when until when anchors are, in words."""
        if not self.anchors:
            return ""
        times = sorted(one.taken_at_us for one in self.anchors)
        ends = [datetime.fromtimestamp(at_us / 1e6, UTC) for at_us in (times[0], times[-1])]
        return " to ".join(end.isoformat(timespec="seconds") for end in ends)


def own_key(settings: Settings) -> bytes:
    """Return the public key that this server's anchors are signed with.

    Raises:
        StartError: there is none in the data folder.
    """
    path = settings.receipt_key or settings.data / "keys" / RECEIPT_KEY_FILE
    try:
        return ReceiptSigner.load(path).public_key
    except (OSError, ValueError) as error:
        raise StartError(f"{path}: cannot be read; name the key with --key") from error


def check(
    settings: Settings,
    files: Iterable[Path],
    *,
    key: bytes,
    announce: Callable[[str], None],
) -> Result:
    """Compare the journals of a server's books with the anchors in files.

    Args:
        settings: whose database, and which books.
        files: lines of anchors.
        key: public key that has to have signed them.
        announce: told of what takes its time.

    Raises:
        StartError, LaunchError, StorageError, SchemaError: there is nothing to read.
        OSError: a file cannot be read.
    """
    result = Result()
    for path in files:
        _read_file(path, key, settings.books, result)
    if not result.anchors and not result.faults:
        result.faults.append("there are no anchors of these books in the files")
    with readable_database(settings, announce) as dsn:
        migrate.check_schema(dsn)
        try:
            asyncio.run(_compare(dsn, result))
        except psycopg.OperationalError as error:
            raise StorageError(f"cannot read the database: {one_line(error)}") from error
    return result


def _read_file(path: Path, key: bytes, books: Iterable[int], result: Result) -> None:
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            signed = anchor.read(line)
        except BrokenAnchorError as error:
            result.faults.append(f"{path}, line {number}: {error}")
            continue
        if signed.public_key != key:
            result.faults.append(f"{path}, line {number}: signed with another key")
        elif signed.anchor.book in books:
            result.anchors.append(signed.anchor)


async def _compare(dsn: str, result: Result) -> None:
    connection = await connect(dsn, application_name="longmen audit verify")
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        for book in sorted({one.book for one in result.anchors}):
            anchors = [one for one in result.anchors if one.book == book]
            wanted = {(head.writer, head.number) for one in anchors for head in one.heads}
            async with connection.transaction():
                present = await queries.hashes_of(connection, book, sorted(wanted))
            for found in anchor.compare(anchors, present):
                at = datetime.fromtimestamp(found.anchor.taken_at_us / 1e6, UTC)
                result.faults.append(
                    f"book {book}: {found.detail} (anchored at {at.isoformat(timespec='seconds')})"
                )
    finally:
        await connection.close()
