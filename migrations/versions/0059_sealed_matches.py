"""Keep what a name was matched with under the customer's data key.

An entry of a list is like the name, so in clear it told whose name it is, and that it is on a list.
Nothing here can seal what stands there: it goes, and the job looks every name up again.
"""

from __future__ import annotations

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("delete from name_match")
    op.execute("update name_screening set lists_version = 0")
    op.execute(
        "alter table name_match drop column entry, drop column label,"
        " add column sealed bytea not null"
    )


def downgrade() -> None:
    op.execute("delete from name_match")
    op.execute("update name_screening set lists_version = 0")
    op.execute(
        "alter table name_match drop column sealed,"
        " add column entry text not null, add column label text not null"
    )
