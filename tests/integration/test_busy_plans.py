"""Numbers are found by their own index, however many orders or bills one of the parties has.

While most have one or few, the planner takes any index that begins with the party for as good, and
keeps that plan: by the wrong one, each number of a busy merchant reads all the merchant's orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from longmen_server.billers import queries as bill_queries
from longmen_server.billers.tables import NUMBER
from longmen_server.payments import queries as order_queries
from longmen_server.payments.tables import ORDER_NUMBER
from longmen_server.settlements import queries as settlement_queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import Database

FILLED = {"merchant_order": "merchant_id", "bill_due": "biller_id"}
VALUES = {"uuid": "md5({0}::text || '{1}')::uuid", "text": "{0}::text", "bytea": "'\\x00'::bytea"}
"""How a column without a default is filled; all others with 1."""


@pytest.fixture(scope="module")
def filled(module_database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A database in which each party has one order or bill, as far as statistics know."""
    dsn = module_database.admin_dsn
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        for table in FILLED:
            columns = connection.execute(
                "select column_name, data_type from information_schema.columns where"
                " table_name = %s and is_nullable = 'NO' and column_default is null",
                (table,),
            ).fetchall()
            names = ", ".join(name for name, _ in columns)
            values = ", ".join(VALUES.get(kind, "1").format("n", name) for name, kind in columns)
            connection.execute(
                f"insert into {table} ({names})"  # noqa: S608 - of the catalogue
                f" select {values} from generate_series(1, 3000) as n"
            )
            connection.execute(f"analyze {table}")
        for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off"):
            connection.execute(f"set {setting}")
        yield connection


def plan_of(connection: psycopg.Connection[Any], statement: bytes, types: str, values: str) -> str:
    connection.execute("deallocate all")
    connection.execute(f"prepare p ({types}) as {statement.decode()}")
    rows = connection.execute(f"explain execute p ({values})").fetchall()
    return "\n".join(row[0] for row in rows)


INDEXES = {
    "merchant_order_number",
    "merchant_order_merchant",
    "bill_due_number",
    "bill_due_biller",
}
BY_PARTY = ("smallint, uuid[], text[]", "1, '{}', '{}'")
ID = "'00000000-0000-0000-0000-000000000000'"


@pytest.mark.parametrize(
    ("statement", "types", "values", "index"),
    [
        (ORDER_NUMBER.load(1, ()).sql, *BY_PARTY, "merchant_order_number"),
        (NUMBER.load(1, ()).sql, *BY_PARTY, "bill_due_number"),
        (
            order_queries._BY_NUMBER,
            "smallint, uuid, text",
            f"1, {ID}, ''",
            "merchant_order_number",
        ),
        (
            settlement_queries._ORDERS,
            "smallint, uuid, text[]",
            f"1, {ID}, '{{}}'",
            "merchant_order_number",
        ),
        (
            settlement_queries._ENTRIES,
            "smallint, uuid, uuid, bigint, bigint, int",
            f"1, {ID}, {ID}, 0, 9, 9",
            "merchant_order_number",
        ),
        (
            order_queries._LIST,
            "smallint, uuid, uuid, smallint[], bigint, int",
            f"1, {ID}, {ID}, '{{}}', 0, 9",
            "merchant_order_merchant",
        ),
        (
            bill_queries._DUES,
            "smallint, uuid, uuid, smallint, int",
            f"1, {ID}, {ID}, 0::smallint, 9",
            "bill_due_biller",
        ),
    ],
    ids=["order", "bill", "lookup", "reconcile", "bill-file", "list-orders", "list-bills"],
)
def test_the_index_that_was_made_for_it_is_taken(
    filled: psycopg.Connection[Any], statement: bytes, types: str, values: str, index: str
) -> None:
    plan = plan_of(filled, statement, types, values)
    taken = {line.split(" on ")[0].rsplit("using ")[-1].strip() for line in plan.splitlines()}
    assert taken & INDEXES == {index}, plan
