"""Checks of lists, for `longmen verify`: a list is what was imported, all of it."""

from __future__ import annotations

from typing import Final

from longmen_server.ledger.verification.queries import Check
from longmen_server.risklists.model import ImportState

IMPORTS: Final = Check(
    "imports of lists against their rows",
    f"""
    select 'RISK_LIST_MISMATCH', 'limp_' || replace(i.list_import_id::text, '-', ''),
        case when i.state not between {min(ImportState)} and {max(ImportState)}
            then 'its state is ' || i.state
            else 'it counts ' || i.chunk_count || ' chunks with ' || i.entry_count
                || ' entries, and there are ' || c.chunks || ' with ' || c.entries end
    from risk_list_import as i
    cross join lateral (
        select count(*) as chunks, coalesce(sum(entry_count), 0) as entries
        from risk_list_chunk where book = $1 and list_import_id = i.list_import_id
    ) as c
    where i.book = $1 and (i.state not between {min(ImportState)} and {max(ImportState)}
        or c.chunks <> i.chunk_count or c.entries <> i.entry_count)
    """,
)

LISTS: Final = Check(
    "lists against their imports",
    f"""
    select 'RISK_LIST_MISMATCH', l.name || ' of kind ' || l.kind,
        'its import is not there, not committed, or another list''s'
    from risk_list as l
    left join risk_list_import as i on i.book = $1 and i.list_import_id = l.list_import_id
    where l.book = $1 and (i.list_import_id is null or i.name <> l.name or i.kind <> l.kind
        or i.state <> {ImportState.COMMITTED.value})
    """,
)

CHECKS: Final = (IMPORTS, LISTS)
"""What is proved of lists."""
