"""Take the right to change what merchants and payers were told away from the role that serves.

Plans, refunds, attempts, captures and conversions are written once, and so are merchants and the
names of their tills. Orders, holds, settlements, positions, mandates and shifts change and are
never deleted.
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
WRITTEN_ONCE = (
    "fx_conversion",
    "merchant",
    "merchant_plan",
    "merchant_terminal",
    "order_attempt",
    "order_capture",
    "order_refund",
)
KEPT = (
    "mandate",
    "merchant_order",
    "merchant_position",
    "merchant_settlement",
    "merchant_shift",
    "order_authorization",
    "staff_account",
)


def upgrade() -> None:
    _where_the_role_is(
        [f"revoke update, delete, truncate on {t} from {APP_ROLE};" for t in WRITTEN_ONCE]
        + [f"revoke delete, truncate on {t} from {APP_ROLE};" for t in KEPT]
    )


def downgrade() -> None:
    _where_the_role_is(
        [f"grant update, delete on {t} to {APP_ROLE};" for t in WRITTEN_ONCE]
        + [f"grant delete on {t} to {APP_ROLE};" for t in KEPT]
    )


def _where_the_role_is(statements: list[str]) -> None:
    body = " ".join(statements)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {body} end if; end $$"
    )
