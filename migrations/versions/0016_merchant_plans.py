"""Create the table of merchants' plans, and let orders keep their plan and fee."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table merchant_plan (
            fixed_minor_units bigint not null check (fixed_minor_units >= 0),
            cap_minor_units bigint not null check (cap_minor_units >= 0),
            negative_limit_minor_units bigint not null check (negative_limit_minor_units >= 0),
            created_at_us bigint not null,
            basis_points integer not null check (basis_points between 0 and 10000),
            rounding integer not null,
            refund_policy integer not null,
            settlement_days integer not null,
            book smallint not null,
            plan_id uuid not null,
            merchant_id uuid not null,
            effective_date text not null,
            primary key (book, plan_id)
        )
        """
    )
    op.execute("create index merchant_plan_merchant on merchant_plan (book, merchant_id, plan_id)")
    op.execute(
        """
        alter table merchant_order
            add column plan_id uuid,
            add column fee bigint not null default 0 check (fee >= 0),
            add column fee_returned bigint not null default 0,
            add check (fee_returned between 0 and fee)
        """
    )


def downgrade() -> None:
    op.execute("alter table merchant_order drop column fee_returned, drop column fee")
    op.execute("alter table merchant_order drop column plan_id")
    op.execute("drop table merchant_plan")
