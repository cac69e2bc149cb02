"""The bank's own accounts: opened by whoever needs one first, found by all without a look-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_server.ledger.chart import CHART, system_account_id
from longmen_server.ledger.commands import open_account
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.ledger.tables import ACCOUNT

if TYPE_CHECKING:
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import AccountId

__all__ = ["ensure_system_account"]


def ensure_system_account(
    working_set: WorkingSet, currency_code: str, chart_code: int
) -> AccountId:
    """Return the bank's account of a currency and chart code, opened if nobody needed it before.

    The command has to have named it among its keys.
    """
    account_id = system_account_id(working_set.book, currency_code, chart_code)
    if working_set.get(ACCOUNT, account_id) is None:
        line = CHART[chart_code]
        open_account(
            working_set,
            AccountRow(
                account_id=account_id,
                currency_code=currency_code,
                account_type=line.account_type,
                chart_code=line.code,
                state=AccountState.OPEN,
                debits_posted=0,
                credits_posted=0,
                debits_pending=0,
                credits_pending=0,
                floor_minor_units=line.floor_minor_units,
                ceiling_minor_units=None,
                version=0,
                booked_at_us=0,
                created_at_us=0,
                owner_id=None,
                description=line.name,
            ),
        )
    return account_id
