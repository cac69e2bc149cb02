"""Bytes on disk, by what they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg

LEDGER_TABLES: Final = frozenset({"ledger_account", "ledger_posting"})
"""The ledger alone; everything else is what surrounds it: events, journal, request records."""

SIZES: Final = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of every table with its indexes and what it keeps out of line."""

    tables: dict[str, int]

    def ledger(self) -> int:
        """Bytes of the ledger alone."""
        return sum(size for name, size in self.tables.items() if name in LEDGER_TABLES)

    def everything(self) -> int:
        """Bytes of all tables."""
        return sum(self.tables.values())

    def since(self, before: Sizes) -> dict[str, int]:
        """How much each table has grown."""
        return {name: size - before.tables.get(name, 0) for name, size in self.tables.items()}


def measure(dsn: str) -> Sizes:
    """Tidy up as autovacuum would sooner or later, then take the sizes."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM")
        connection.execute("CHECKPOINT")
        rows = connection.execute(SIZES).fetchall()
    sizes = Sizes({name: int(size) for name, size in rows})
    missing = LEDGER_TABLES - sizes.tables.keys()
    if missing:
        raise LookupError(f"no table {', '.join(sorted(missing))}: the bench measures nothing")
    return sizes
