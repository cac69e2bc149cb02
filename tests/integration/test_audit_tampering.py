"""Whatever is changed in the audit trail is found, and the role that serves cannot change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server.platform.clock import SystemClock
from tests.support.proof import proof_of
from tests.support.small_bank import open_small_bank

if TYPE_CHECKING:
    from tests.support.postgres import Database, SharedPostgres


@pytest.fixture(scope="module")
async def kept(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A book with some acts of some customers in its trail; nobody uses it any more."""
    async with open_small_bank(module_database, tmp_path_factory.mktemp("kept")) as bank:
        for _ in range(3):
            await bank.person()
    return module_database


CORRUPTIONS = {
    "edited": "update event set payload = set_byte(payload, 9, 255 - get_byte(payload, 9))"
    " where (book, writer, sequence) = (select book, writer, sequence from event"
    " where type = 40 order by sequence limit 1)",
    "deleted": "delete from event where (book, writer, sequence) = (select book, writer, sequence"
    " from event where type = 40 order by sequence limit 1)",
    "inserted": "insert into event select max(sequence) + 1, max(booked_at_us) + 1, book, writer,"
    " 40, 0, '00000000-0000-0000-0000-000000000000', '' from event group by book, writer",
    "reordered": "update event as e set payload = o.payload from (select book, writer, payload,"
    " 1 - n as place, sequence, n from (select *, row_number() over (order by sequence) - 1 as n"
    " from event where type = 40) as a where n < 2) as o,"
    " (select sequence, row_number() over (order by sequence) - 1 as n from event where type = 40)"
    " as p where p.n = o.place and e.type = 40 and e.sequence = p.sequence",
    "tail cut": "delete from event where (book, writer, sequence) = (select book, writer, sequence"
    " from event where type = 40 order by sequence desc limit 1)",
}


@pytest.mark.parametrize("what", CORRUPTIONS)
async def test_every_change_of_the_trail_is_found(
    kept: Database, postgres: SharedPostgres, what: str
) -> None:
    fresh = postgres.create(template=kept.name)
    clock = SystemClock()
    try:
        findings, _, _ = await proof_of(fresh.app_dsn, clock)
        assert not findings
        with psycopg.connect(fresh.admin_dsn, autocommit=True) as connection:
            changed = connection.execute(CORRUPTIONS[what].encode()).rowcount
        assert changed == (2 if what == "reordered" else 1)
        findings, _, _ = await proof_of(fresh.app_dsn, clock)
        assert {finding.kind for finding in findings} & {
            "BLOCK_ROOT_MISMATCH",
            "EVENT_GAP",
            "EVENT_BEYOND_JOURNAL",
        }
    finally:
        postgres.drop(fresh)


def test_the_role_that_serves_can_add_to_the_trail_and_nothing_else(
    kept: Database,
) -> None:
    with psycopg.connect(kept.app_dsn) as connection:
        for table in ("event", "journal_block"):
            rights = {
                right: connection.execute(
                    "select has_table_privilege(%s, %s)", (table, right)
                ).fetchone()
                for right in ("INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE")
            }
            assert rights == {
                "INSERT": (True,),
                "SELECT": (True,),
                "UPDATE": (False,),
                "DELETE": (False,),
                "TRUNCATE": (False,),
            }
