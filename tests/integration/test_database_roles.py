"""What each role of the database may do with each table, and that it may do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from longmen_server.platform.postgres import APP_ROLE, OWNER_ROLE, VERIFIER_ROLE

if TYPE_CHECKING:
    from tests.support.postgres import Database

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
WRITTEN_ONCE = frozenset(
    {
        *("ledger_posting", "event", "journal_block", "ledger_reversal", "ledger_refusal"),
        *("merchant", "merchant_plan", "merchant_terminal", "fx_conversion", "kyc_change"),
        *("order_attempt", "order_capture", "order_refund", "fx_reversal"),
        *("order_share_return", "terminal_place"),
        *("fx_revaluation", "offline_sale", "donation"),
        *("risk_decision", "fx_auto_payment"),
    }
)
"""What nobody who serves may change: the books, the trail of audit and their chain, and what
merchants and payers were told."""

KEPT = frozenset(
    {
        *("request_record", "ledger_account", "ledger_hold", "staff_account"),
        *("mandate", "merchant_order", "order_authorization"),
        *("fx_limit_order", "fx_rate_alert", "terminal_key", "offline_budget"),
        *("combined_order", "fx_auto_conversion", "fx_promotion"),
        *("merchant_position", "merchant_settlement", "merchant_shift"),
        *("merchant_store", "merchant_cashier", "offline_acceptance"),
        *("merchant_payout", "merchant_payout_account"),
        *("sharing_receiver", "order_sharing", "order_share"),
        *("risk_freeze", "risk_hold", "risk_case", "risk_case_note"),
        *("biller", "bill_due", "bill_link"),
        *("limit_counter", "limit_entry", "limit_own", "limit_account_type"),
    }
)
"""What changes and is never deleted."""


def rights_of(database: Database, role: str) -> dict[str, set[str]]:
    """Every right of a role, by table."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(database.admin_dsn) as connection:
        for table, right, granted in connection.execute(
            "select relname, r, has_table_privilege(%s, c.oid, r)"
            " from pg_class c, unnest(%s::text[]) r"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
            [role, list(RIGHTS)],
        ):
            found.setdefault(table, set())
            if granted:
                found[table].add(right)
    return found


def test_the_role_that_serves_has_no_more_than_rows(database: Database) -> None:
    for table, rights in rights_of(database, APP_ROLE).items():
        if table in WRITTEN_ONCE:
            assert rights == {"SELECT", "INSERT"}, table
        elif table in KEPT:
            assert rights == {"SELECT", "INSERT", "UPDATE"}, table
        else:
            assert rights <= {"SELECT", "INSERT", "UPDATE", "DELETE"}, table


def test_the_role_that_verifies_reads_everything_and_changes_nothing(database: Database) -> None:
    found = rights_of(database, VERIFIER_ROLE)
    assert found.keys() >= WRITTEN_ONCE | KEPT
    assert {table for table, rights in found.items() if rights != {"SELECT"}} == set()


@pytest.mark.parametrize("role", [APP_ROLE, VERIFIER_ROLE, OWNER_ROLE])
def test_no_role_but_the_superuser_has_powers(database: Database, role: str) -> None:
    with psycopg.connect(database.admin_dsn) as connection:
        row = connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication,"
            " has_schema_privilege(%s, 'public', 'CREATE')"
            " from pg_roles where rolname = %s",
            [role, role],
        ).fetchone()
    assert row is not None
    assert not any(row[:5])
    assert row[5] == (role == OWNER_ROLE)


def test_the_role_that_serves_owns_nothing(database: Database) -> None:
    with psycopg.connect(database.admin_dsn) as connection:
        rows = connection.execute(
            "select distinct rolname from pg_class c join pg_roles r on r.oid = relowner"
            " where relnamespace = 'public'::regnamespace"
        ).fetchall()
    assert rows == [(OWNER_ROLE,)]


def test_what_is_written_once_stays(database: Database) -> None:
    with psycopg.connect(database.app_dsn, autocommit=True) as connection:
        for table in sorted(WRITTEN_ONCE):
            for statement in (f"delete from {table}", f"truncate {table}"):  # noqa: S608
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
