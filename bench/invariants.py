"""What must hold in the database after a load, whatever the figures were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg


@dataclass(frozen=True, slots=True)
class Check:
    """A question whose answer is the number of things that are wrong."""

    name: str
    query: str


CHECKS: Final = (
    Check(
        "debits equal credits in every currency",
        """
        SELECT count(*) FROM (
            SELECT 1 FROM ledger_account GROUP BY book, currency_code
            HAVING sum(debits_posted) <> sum(credits_posted)
                OR sum(debits_pending) <> sum(credits_pending)) AS wrong
        """,
    ),
    Check(
        "every account's counters and version follow from its postings",
        """
        SELECT count(*) FROM (
            SELECT coalesce(account.debits_posted, 0) - coalesce(sum(leg.debit), 0) AS debits,
                   coalesce(account.credits_posted, 0) - coalesce(sum(leg.credit), 0) AS credits,
                   coalesce(account.version, 0) - count(leg.account_id) AS versions
            FROM ledger_account AS account FULL JOIN (
                SELECT book, debit_account_id AS account_id, amount AS debit, 0 AS credit
                FROM ledger_posting
                UNION ALL
                SELECT book, credit_account_id, 0, amount FROM ledger_posting
            ) AS leg USING (book, account_id)
            GROUP BY book, account_id, account.debits_posted, account.credits_posted,
                     account.version
        ) AS difference WHERE debits <> 0 OR credits <> 0 OR versions <> 0
        """,
    ),
    Check(
        "the newest running balance of every account is its balance",
        """
        SELECT count(*) FROM (
            SELECT DISTINCT ON (book, account_id) book, account_id, version, balance FROM (
                SELECT book, debit_account_id AS account_id, debit_version AS version,
                       debit_posted_after AS balance FROM ledger_posting
                UNION ALL
                SELECT book, credit_account_id, credit_version, credit_posted_after
                FROM ledger_posting
            ) AS leg ORDER BY book, account_id, version DESC
        ) AS newest JOIN ledger_account AS account USING (book, account_id)
        WHERE account.version <> newest.version
           OR abs(account.credits_posted - account.debits_posted) <> abs(newest.balance)
        """,
    ),
    Check(
        "no balance is below its floor",
        """
        SELECT count(*) FROM ledger_account
        WHERE floor_minor_units IS NOT NULL AND floor_minor_units >
            CASE WHEN account_type IN (1, 4) THEN debits_posted - credits_posted
                 ELSE credits_posted - debits_posted END
        """,
    ),
)


class InvariantError(Exception):
    """The database does not hold what it must: no figure of this run counts."""


def verify(dsn: str, *, acknowledged: int) -> list[str]:
    """Ask every question and count the postings; the names of what was found right.

    Raises:
        InvariantError: something is wrong.
    """
    found = []
    with psycopg.connect(dsn) as connection:
        for check in CHECKS:
            row = connection.execute(check.query.encode()).fetchone()
            assert row is not None
            if row[0] != 0:
                raise InvariantError(f"{row[0]} exceptions from: {check.name}")
            found.append(check.name)
        row = connection.execute("SELECT count(*) FROM ledger_posting").fetchone()
    assert row is not None
    if row[0] != acknowledged:
        raise InvariantError(f"{row[0]} postings stand, {acknowledged} were acknowledged")
    return [*found, "as many postings stand as were acknowledged"]
