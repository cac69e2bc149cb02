"""Personal data at rest: nobody who has the database alone learns whose it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio
from alembic import command
from psycopg import sql

from longmen.accounts.v1 import accounts_service_pb2 as pb
from longmen.accounts.v1 import wallet_pb2
from longmen_server import migrate, migrating, personal_keys
from longmen_server.accounts import queries
from longmen_server.accounts.personal import open_person
from longmen_server.migrate import SchemaError
from longmen_server.personal_keys import PersonalKeysError
from longmen_server.platform import pii
from longmen_server.platform.database import connect
from longmen_server.platform.ids import CustomerId
from longmen_server.platform.pii import IndexKind, SealBrokenError, Vault
from longmen_server.platform.postgres import OWNER_ROLE
from longmen_server.transfers.bank_accounts import open_bank_account
from longmen_server.transfers.model import InstructionState
from longmen_server.transfers.queries import open_instructions
from tests.support.ledger import BOOK, PATIENCE
from tests.support.wallets import Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.clock import SettableClock
    from tests.support.postgres import Database, SharedPostgres
    from tests.support.wallets import Person

SEEDS = 1_000


@pytest_asyncio.fixture
async def wallets(database: Database, settable_clock: SettableClock) -> AsyncIterator[Wallets]:
    async with open_wallets(database.app_dsn, settable_clock) as opened:
        yield opened


def dump(dsn: str) -> bytes:
    """Every row of every table as text, as `pg_dump --data-only` writes it."""
    parts: list[bytes] = []
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r'"
            " and relnamespace = 'public'::regnamespace order by 1"
        ).fetchall()
        for (table,) in tables:
            statement = sql.SQL("copy {} to stdout").format(sql.Identifier(table))
            with connection.cursor().copy(statement) as copy:
                parts.extend(bytes(part) for part in copy)
    return b"".join(parts)


def traces(content: bytes, texts: list[str]) -> list[str]:
    """Those texts that stand in a dump, readable or as the hexadecimal digits of `bytea`."""
    return [
        text
        for text in texts
        if text.encode() in content or text.encode().hex().encode() in content
    ]


async def test_a_dump_has_none_of_a_thousand_people(wallets: Wallets, database: Database) -> None:
    names = [f"Ana{number:04d} Petrović" for number in range(SEEDS // 2)]
    names += [f"欧阳{chr(0x5000 + number)}明{number}" for number in range(SEEDS // 2)]
    phones = [f"+86139{number:08d}" for number in range(71_000_000, 71_000_000 + SEEDS)]
    banks = [f"62220212{number:08d}" for number in range(88_000_000, 88_000_000 + SEEDS)]

    async def one(name: str, phone: str, bank: str) -> None:
        opened = await wallets.ask(
            "OpenWallet", phone_number=phone, display_name=name, currency_code="CNY"
        )
        assert opened.wallet.display_name == name
        await wallets.ask(
            "TopUp", account_id=opened.account.account_id, amount=cash(1), bank_account=bank
        )

    people = list(zip(names, phones, banks, strict=True))
    for start in range(0, SEEDS, 50):
        await asyncio.gather(*(one(*person) for person in people[start : start + 50]))
    await wallets.jobs.run_once()
    content = dump(database.admin_dsn)
    assert content.count(b"\\\\x01") >= 3 * SEEDS, "the sealed data is in the dump"
    assert traces(content, names + phones + banks) == []
    # The test can fail: what is kept readable is found, both ways.
    assert traces(content, ["CNY"]) == ["CNY"]
    assert traces(b"\\x" + "欧阳".encode().hex().encode(), ["欧阳"]) == ["欧阳"]


class TestSwapping:
    async def swap(self, database: Database, table: str, column: str, one: str, two: str) -> None:
        """Exchange a column of two customers' rows, as somebody with access could."""
        statement = sql.SQL(
            "update {t} as t set {c} = o.{c} from {t} as o"
            " where t.customer_id = any(%(b)s::uuid[]) and o.customer_id = any(%(b)s::uuid[])"
            " and t.customer_id <> o.customer_id"
        ).format(t=sql.Identifier(table), c=sql.Identifier(column))
        both = [text.removeprefix("cust_") for text in (one, two)]
        async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
            done = await connection.execute(statement, {"b": both})
            assert done.rowcount == 2

    @pytest.mark.parametrize(
        ("table", "column"),
        [("wallet", "display_name"), ("wallet", "phone_number"), ("customer_key", "wrapped")],
    )
    async def test_exchanged_ciphertexts_are_refused(
        self, wallets: Wallets, database: Database, table: str, column: str
    ) -> None:
        me, other = await wallets.person("Mia"), await wallets.person("Otto")
        await self.swap(database, table, column, me.customer, other.customer)
        for person in (me, other):
            with pytest.raises(SealBrokenError, match="does not open"):
                await wallets.ask("GetWallet", person.principal)
        await self.swap(database, table, column, me.customer, other.customer)
        found = await wallets.ask("GetWallet", me.principal)
        assert found.wallet.display_name == "Mia"

    async def test_a_name_put_where_the_phone_number_was_is_refused(
        self, wallets: Wallets, database: Database
    ) -> None:
        me = await wallets.person("Mia")
        async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
            await connection.execute("update wallet set phone_number = display_name")
        with pytest.raises(SealBrokenError, match=r"wallet\.phone_number does not open"):
            await wallets.ask("GetWallet", me.principal)

    async def test_a_bank_account_of_another_instruction_pays_nobody(
        self, wallets: Wallets, database: Database
    ) -> None:
        me = await wallets.person("Mia", funds=1_000)
        await wallets.jobs.run_once()
        asked = [await withdraw(wallets, me, account) for account in ("6222001", "6222002")]
        async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
            await connection.execute(
                "update clearing_instruction as i set bank_account = o.bank_account"
                " from clearing_instruction as o where i.state = 1 and o.state = 1"
                " and i.transaction_id <> o.transaction_id"
            )
        await wallets.jobs.run_once()
        for transfer in asked:
            found = await wallets.ask("GetTransfer", transfer_id=transfer)
            assert found.transfer.failure_code == "UNREADABLE"
        assert await wallets.balance(me) == (1_000, 1_000, 0, 0)


async def withdraw(wallets: Wallets, person: Person, bank_account: str) -> str:
    reply = await wallets.ask(
        "Withdraw", account_id=person.account, amount=cash(10), bank_account=bank_account
    )
    transfer_id: str = reply.transfer.transfer_id
    return transfer_id


async def test_a_stored_reply_names_nobody_and_a_repetition_gets_it_whole(
    wallets: Wallets, database: Database
) -> None:
    fields = {
        "request_id": wallets.new_request_id(),
        "phone_number": wallets.new_phone(),
        "display_name": "Zoë Quux",
        "currency_code": "CNY",
    }
    first = await wallets.ask("OpenWallet", **fields)
    again = await wallets.ask("OpenWallet", **fields)
    assert wallets.replayed
    assert again == first
    assert again.wallet.display_name == "Zoë Quux"
    assert "****" in again.wallet.masked_phone_number
    with psycopg.connect(database.admin_dsn) as connection:
        replies = [row[0] for row in connection.execute("select reply from request_record")]
    (stored,) = [pb.OpenWalletResponse.FromString(reply) for reply in replies if reply]
    assert stored.wallet.customer_id == first.wallet.customer_id
    assert (stored.wallet.display_name, stored.wallet.masked_phone_number) == ("", "")


async def test_an_account_without_a_wallet_is_sealed_under_the_books_key(wallets: Wallets) -> None:
    (account,) = await wallets.open()
    text = "acct_" + account.hex()
    await wallets.ask("TopUp", account_id=text, amount=cash(5), bank_account="6222777")
    deadline = wallets.clock.monotonic() + PATIENCE
    async with wallets.readers.connection(deadline=deadline) as connection:
        found = await open_instructions(
            connection, BOOK, InstructionState.QUEUED, after=None, limit=9
        )
    assert [each.row.key_owner for each in found] == [pii.book_owner(BOOK)]
    assert open_bank_account(wallets.vault, found[0]) == "6222777"


class TestKeyFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "keys" / "personal-data.json"

    def test_a_new_database_gets_one_and_each_book_a_key(
        self, database: Database, path: Path
    ) -> None:
        for _ in range(2):
            personal_keys.prepare(database.app_dsn, path, [1, 2])
        ids = pii.read_key_ids(path)
        with psycopg.connect(database.app_dsn) as connection:
            noted = connection.execute("select purpose, key_id from personal_key order by 1")
            assert noted.fetchall() == [(1, ids.wrapping[0]), (2, ids.index[0])]
            keys = connection.execute("select book, wrapped from customer_key order by 1")
            vault = Vault(path, lambda: 0.0)
            for book, wrapped in keys.fetchall():
                vault.data_key(book, pii.book_owner(book), wrapped)

    def test_a_missing_one_is_not_replaced(self, database: Database, path: Path) -> None:
        personal_keys.prepare(database.app_dsn, path, [1])
        path.unlink()
        with pytest.raises(PersonalKeysError, match=r"is missing.*LONGMEN_PERSONAL_KEYS"):
            personal_keys.prepare(database.app_dsn, path, [1])
        assert not path.exists()

    def test_another_ones_is_refused(self, database: Database, path: Path, tmp_path: Path) -> None:
        personal_keys.prepare(database.app_dsn, path, [1])
        other = tmp_path / "other.json"
        pii.make_key_file(other)
        with pytest.raises(PersonalKeysError, match=r"lacks key \d+, which the database's"):
            personal_keys.prepare(database.app_dsn, other, [1])


class TestMigration:
    """A database of the version before, whose names and numbers were readable."""

    CUSTOMER = bytes.fromhex("019b0000000070008000000000000001")
    ACCOUNT = bytes.fromhex("019b0000000070008000000000010001")
    TRANSFER = bytes.fromhex("019b0000000070008000000000020001")
    SECRETS = ("Zoë Quux", "+8613900001111", "6222021234567899")

    @pytest.fixture
    def older(self, postgres: SharedPostgres) -> Iterator[str]:
        name = "before_sealing"
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            make = sql.SQL("create database {} owner {}")
            connection.execute(make.format(sql.Identifier(name), sql.Identifier(OWNER_ROLE)))
            dsn = postgres.dsn(role=OWNER_ROLE, database=name)
            with migrating.connection(dsn) as link:
                config = migrating.configuration()
                config.attributes["connection"] = link
                command.upgrade(config, "0007")
            self.fill(dsn)
            yield dsn
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )

    def fill(self, dsn: str) -> None:
        name, phone, bank = self.SECRETS
        ids: dict[str, Any] = {
            "c": self.CUSTOMER.hex(),
            "a": self.ACCOUNT.hex(),
            "t": self.TRANSFER.hex(),
            "n": name,
            "p": phone,
            "b": bank,
        }
        reply = pb.OpenWalletResponse(
            wallet=wallet_pb2.Wallet(customer_id="cust_" + self.CUSTOMER.hex(), display_name=name)
        )
        with psycopg.connect(dsn) as link:
            link.execute("insert into wallet values (1, 1, %(c)s, %(n)s, %(p)s)", ids)
            link.execute("insert into alias values (1, 1, 1, %(c)s, %(p)s)", ids)
            link.execute(
                "insert into wallet_account values (1, null, 1, %(a)s, %(c)s, 'CNY', '')",
                ids,
            )
            link.execute(
                "insert into clearing_instruction values"
                " (5, 1, 1, 1, 2, 1, %(t)s, %(a)s, 'CNY', %(b)s, null, null)",
                ids,
            )
            link.execute(
                "insert into request_record (booked_at_us, book, outcome, request_key,"
                " content, reply) values (1, 1, 1, %s::uuid, '', %s)",
                [self.CUSTOMER.hex(), reply.SerializeToString()],
            )

    async def test_everything_is_sealed_and_still_found(self, older: str, tmp_path: Path) -> None:
        assert traces(dump(older), list(self.SECRETS)) == list(self.SECRETS)
        path = tmp_path / "personal-data.json"
        migrate.upgrade(older, personal_keys=path)
        personal_keys.prepare(older, path, [1])
        assert traces(dump(older), list(self.SECRETS)) == []
        vault = Vault(path, lambda: 0.0)
        name, phone, bank = self.SECRETS
        connection = await queries_connection(older)
        async with connection:
            found = await queries.find_wallet(connection, 1, CustomerId(self.CUSTOMER))
            assert found is not None
            person = open_person(vault, found)
            assert (person.display_name, person.phone_number) == (name, phone)
            index = vault.index(IndexKind.PHONE_NUMBER, phone)
            payee = await queries.find_payee_by_phone(connection, index, "CNY")
            assert payee == (1, self.ACCOUNT)
            (queued,) = await open_instructions(
                connection, 1, InstructionState.QUEUED, after=None, limit=9
            )
            assert open_bank_account(vault, queued) == bank
            cursor = await connection.execute(b"select reply from request_record")
            (record,) = await cursor.fetchall()
        reply = pb.OpenWalletResponse.FromString(record[0])
        assert reply.wallet.customer_id.endswith(self.CUSTOMER.hex())
        assert reply.wallet.display_name == ""

    def test_without_a_key_file_nothing_is_changed(self, older: str) -> None:
        before = dump(older)
        with pytest.raises(SchemaError, match="there is personal data to seal"):
            migrate.upgrade(older)
        assert dump(older) == before


async def queries_connection(dsn: str) -> Any:

    return await connect(dsn, application_name="tests")
