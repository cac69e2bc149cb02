"""Let the role that proves the books read them, and nothing else.

The role is the embedded server's; an operator who wants it makes it before migrating.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

VERIFIER_ROLE = "longmen_verifier"


def upgrade() -> None:
    _where_the_role_is(
        f"grant select on all tables in schema public to {VERIFIER_ROLE};"
        " alter default privileges in schema public"
        f" grant select on tables to {VERIFIER_ROLE};"
    )


def downgrade() -> None:
    _where_the_role_is(
        f"revoke select on all tables in schema public from {VERIFIER_ROLE};"  # noqa: S608 - ours
        " alter default privileges in schema public"
        f" revoke select on tables from {VERIFIER_ROLE};"
    )


def _where_the_role_is(statements: str) -> None:
    op.execute(
        f"do $$ begin if exists (select from pg_roles where rolname = '{VERIFIER_ROLE}')"
        f" then {statements} end if; end $$"
    )
