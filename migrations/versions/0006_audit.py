"""Find the audit trail in the journals: its events by time, and by journal.

One event of each batch keeps who asked for what, so both indexes are small, and events of other
types cost them no more than a comparison.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

AUDITED = 40
"""longmen.events.v1.EVENT_TYPE_AUDITED"""


def upgrade() -> None:
    op.execute(
        "create unique index event_audited_by_time on event (book, booked_at_us, writer, sequence)"
        f" where type = {AUDITED}"
    )
    op.execute(
        "create unique index event_audited on event (book, writer, sequence)"
        f" where type = {AUDITED}"
    )


def downgrade() -> None:
    op.execute("drop index event_audited")
    op.execute("drop index event_audited_by_time")
