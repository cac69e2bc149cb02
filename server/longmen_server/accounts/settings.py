"""The limits of wallets: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsSettings:
    """What the wallets of one worker process are bound by."""

    balance_watch_interval_ms: int = 250
    """Milliseconds between two looks at the watched balances: soon enough for a person who waits
    for money, and four small queries a second however many watch."""
    statement_lines_max: int = 5_000
    """Lines of a statement. A month with more is refused and read page by page instead: as a
    document it would be over a hundred pages."""
    statement_bytes_max: int = 4_000_000
    """Size of a reply with a statement; gRPC's clients take up to 4 MiB unless told otherwise."""
    statement_pdfs_parallel_max: int = 1
    """PDF documents set at the same time in each worker: one takes a core and up to 500 MB."""
    statement_pdfs_waiting_max: int = 16
    """PDF documents that may wait for their turn before the next one is refused."""
