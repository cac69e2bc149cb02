"""Take the right to change what was written away from the role that serves requests.

Postings, events, blocks, reversals and refusals are written once; request records lose their reply
after its time and are never deleted. The role is the embedded server's; an operator who serves as
another role grants it the same: see docs/operations.md.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APP_ROLE = "longmen_app"
WRITTEN_ONCE = (
    "ledger_posting",
    "event",
    "journal_block",
    "ledger_reversal",
    "ledger_refusal",
)


def upgrade() -> None:
    statements = [f"revoke update, delete, truncate on {t} from {APP_ROLE};" for t in WRITTEN_ONCE]
    statements += [
        f"revoke delete, truncate on {t} from {APP_ROLE};"
        for t in ("request_record", "ledger_account", "ledger_hold")
    ]
    _where_the_role_is(statements)


def downgrade() -> None:
    _where_the_role_is([f"grant update, delete on {t} to {APP_ROLE};" for t in WRITTEN_ONCE])


def _where_the_role_is(statements: list[str]) -> None:
    body = " ".join(statements)
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{APP_ROLE}')"
        f" then {body} end if; end $$"
    )
