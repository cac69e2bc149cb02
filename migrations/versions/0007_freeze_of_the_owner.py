"""Keep whose a freeze is with the account's state, where every change of state decides it anew.

Beside the wallet it went stale when the bank lifted a customer's freeze in the ledger and froze the
account again: the customer could then lift the bank's freeze.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table ledger_account add column frozen_by_owner boolean not null default false"
    )
    op.execute(
        "update ledger_account as a set frozen_by_owner = true from wallet_account as w"
        " where w.book = a.book and w.account_id = a.account_id and w.frozen_by_customer"
        " and a.state in (2, 3, 4)"
    )
    op.execute("alter table wallet_account drop column frozen_by_customer")


def downgrade() -> None:
    op.execute(
        "alter table wallet_account add column frozen_by_customer boolean not null default false"
    )
    op.execute(
        "update wallet_account as w set frozen_by_customer = true from ledger_account as a"
        " where w.book = a.book and w.account_id = a.account_id and a.frozen_by_owner"
    )
    op.execute("alter table ledger_account drop column frozen_by_owner")
