"""Seal personal data: names, phone numbers and bank accounts are no longer kept readable.

What is there is sealed here, under a new data key for each customer; phone numbers in the alias
directory become blind indexes. Sealed values stand as hexadecimal text until the columns change
their type, which makes Postgres write the tables anew: no readable old version of a row stays
behind in their files. The write-ahead log and backups from before keep what they hold.

Replies to requests that opened a wallet lose the name and the number they repeated.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import sqlalchemy
from alembic import context, op
from alembic.util import CommandError

from longmen.accounts.v1 import accounts_service_pb2 as accounts_pb
from longmen_server.accounts.personal import DISPLAY_NAME, PHONE_NUMBER, phone_index
from longmen_server.platform import pii
from longmen_server.platform.clock import SystemClock
from longmen_server.transfers.bank_accounts import BANK_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROWS = 1_000
"""Rows sealed at a time."""

PREPARED = (
    # Which keys of the key file the data needs: a server without them does not start.
    """
    create table personal_key (
        key_id bigint not null,
        purpose smallint not null,
        primary key (purpose, key_id)
    )
    """,
    # One data key for each customer, wrapped; its row gone, the customer's data is noise.
    """
    create table customer_key (
        created_at_us bigint not null,
        wrapping_key bigint not null,
        book smallint not null,
        customer_id uuid not null,
        wrapped bytea not null,
        primary key (book, customer_id)
    )
    """,
    "alter table wallet add column phone_index text",
    "alter table clearing_instruction add column key_owner uuid",
)
CONVERTED = (
    """
    alter table wallet
        alter column display_name type bytea using decode(display_name, 'hex'),
        alter column phone_number type bytea using decode(phone_number, 'hex'),
        alter column phone_index type bytea using decode(phone_index, 'hex'),
        add column email bytea,
        add column erased_at_us bigint
    """,
    "alter table alias alter column value type bytea using decode(value, 'hex')",
    """
    alter table clearing_instruction
        alter column bank_account type bytea using decode(bank_account, 'hex'),
        alter column key_owner set not null
    """,
)


def upgrade() -> None:
    for statement in PREPARED:
        op.execute(statement)
    if not context.is_offline_mode():
        seal_what_is_there(op.get_bind())
    for statement in CONVERTED:
        op.execute(statement)


def downgrade() -> None:
    raise CommandError("sealed data is not made readable again: restore a backup")


def seal_what_is_there(link: sqlalchemy.Connection) -> None:
    """Replace readable data by its sealed form, as hexadecimal text."""
    wallets = "select book, customer_id, display_name, phone_number from wallet"
    instructions = (
        "select i.book, i.transaction_id, i.bank_account, w.customer_id"
        " from clearing_instruction as i"
        " left join wallet_account as w on w.book = i.book and w.account_id = i.account_id"
    )
    filled = "select exists (select from wallet) or exists (select from clearing_instruction)"
    if not link.execute(sqlalchemy.text(filled)).scalar():
        return
    path = context.config.attributes.get("personal_keys")
    if path is None:
        raise ValueError("there is personal data to seal, and no key file was named")
    pii.make_key_file(path)
    keys = _Keys(link, pii.Vault(path, SystemClock().monotonic))
    for rows in _portions(link, wallets):
        _seal_wallets(link, keys, rows)
    for rows in _portions(link, instructions):
        _seal_instructions(link, keys, rows)
    _strip_replies(link)


class _Keys:
    """The data keys made here: one a customer, and one a book."""

    def __init__(self, link: sqlalchemy.Connection, vault: pii.Vault) -> None:
        self._link = link
        self.vault = vault

    def of(self, book: int, owner: bytes) -> pii.DataKey:
        """Return the owner's key, made and stored at its first use."""
        found = self._link.execute(
            sqlalchemy.text(
                "select wrapped from customer_key where book = :b and customer_id = :c"
            ),
            {"b": book, "c": _uuid(owner)},
        ).scalar()
        if found is not None:
            return self.vault.data_key(book, owner, bytes(found))
        wrapped, key = self.vault.new_data_key(book, owner)
        self._link.execute(
            sqlalchemy.text(
                "insert into customer_key (created_at_us, wrapping_key, book, customer_id, wrapped)"
                " values (:a, :k, :b, :c, :w)"
            ),
            {
                "a": SystemClock().now_us(),
                "k": pii.wrapping_key_of(wrapped),
                "b": book,
                "c": _uuid(owner),
                "w": wrapped,
            },
        )
        return key


def _seal_wallets(link: sqlalchemy.Connection, keys: _Keys, rows: list[Any]) -> None:
    sealed, aliases = [], []
    for book, customer_id, name, phone in rows:
        owner = customer_id.bytes
        key = keys.of(book, owner)
        sealed.append(
            {
                "b": book,
                "c": customer_id,
                "n": key.seal(DISPLAY_NAME, book, owner, name).hex(),
                "p": key.seal(PHONE_NUMBER, book, owner, phone).hex(),
                "i": phone_index(keys.vault, phone).hex(),
            }
        )
        aliases.append({"i": sealed[-1]["i"], "p": phone})
    link.execute(
        sqlalchemy.text(
            "update wallet set display_name = :n, phone_number = :p, phone_index = :i"
            " where book = :b and customer_id = :c"
        ),
        sealed,
    )
    link.execute(
        sqlalchemy.text("update alias set value = :i where kind = 1 and value = :p"),
        aliases,
    )


def _seal_instructions(link: sqlalchemy.Connection, keys: _Keys, rows: list[Any]) -> None:
    sealed = []
    for book, transaction_id, bank_account, customer_id in rows:
        owner = pii.book_owner(book) if customer_id is None else customer_id.bytes
        key = keys.of(book, owner)
        account = key.seal(BANK_ACCOUNT, book, transaction_id.bytes, bank_account)
        sealed.append({"b": book, "t": transaction_id, "a": account.hex(), "o": _uuid(owner)})
    link.execute(
        sqlalchemy.text(
            "update clearing_instruction set bank_account = :a, key_owner = :o"
            " where book = :b and transaction_id = :t"
        ),
        sealed,
    )


def _strip_replies(link: sqlalchemy.Connection) -> None:
    """Take names and numbers out of stored replies; they are put in again from the request."""
    replies = (
        "select book, request_key, reply from request_record"
        " where position('\\x637573745f'::bytea in reply) > 0"
    )
    for rows in _portions(link, replies):
        stripped = [
            {"b": book, "k": request_key, "r": reply}
            for book, request_key, content in rows
            for reply in (_without_person(bytes(content)),)
            if reply is not None
        ]
        if stripped:
            link.execute(
                sqlalchemy.text(
                    "update request_record set reply = :r where book = :b and request_key = :k"
                ),
                stripped,
            )


def _without_person(content: bytes) -> bytes | None:
    """Return the reply that opened a wallet without the person; None for any other reply."""
    reply = accounts_pb.OpenWalletResponse.FromString(content)
    if not reply.wallet.customer_id.startswith("cust_"):
        return None
    reply.wallet.ClearField("display_name")
    reply.wallet.ClearField("masked_phone_number")
    return reply.SerializeToString()


def _portions(link: sqlalchemy.Connection, statement: str) -> Iterator[list[Any]]:
    """All rows as they were when it began, some at a time."""
    everything = link.execute(sqlalchemy.text(statement)).fetchall()
    for start in range(0, len(everything), ROWS):
        yield [tuple(row) for row in everything[start : start + ROWS]]


def _uuid(owner: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=bytes(owner))
