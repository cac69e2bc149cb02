"""The schema's version: made, checked, refused, and never half changed."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg import sql

from longmen_server import migrate, migrating
from longmen_server.migrate import SchemaError
from longmen_server.platform.postgres import OWNER_ROLE
from longmen_server.platform.server_check import StorageError
from tests.support.server import longmen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import Database, SharedPostgres


@pytest.fixture(scope="module")
def postgres(durable_postgres: SharedPostgres) -> SharedPostgres:
    """Databases that a server agrees to start on."""
    return durable_postgres


@pytest.fixture
def empty(postgres: SharedPostgres) -> Iterator[str]:
    """A database without any schema, as its owner."""
    name = "empty_for_migrations"
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        make = sql.SQL("create database {} owner {}")
        connection.execute(make.format(sql.Identifier(name), sql.Identifier(OWNER_ROLE)))
        yield postgres.dsn(role=OWNER_ROLE, database=name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def set_version(dsn: str, version: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = %s", [version])


def test_the_revisions_are_the_numbers_of_their_files() -> None:
    """Which a start goes by that has nothing to migrate."""
    scripts = ScriptDirectory.from_config(migrating.configuration())
    revisions = {script.revision for script in scripts.walk_revisions()}
    assert revisions == migrate.known_versions()
    assert scripts.get_current_head() == migrate.needed_version()


def test_a_start_without_migrations_does_not_load_alembic() -> None:
    command = "import longmen_server.supervisor, sys; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_an_empty_database_gets_the_whole_schema_once(empty: str) -> None:
    needed = migrate.needed_version()
    assert migrate.current_version(empty) is None
    with pytest.raises(SchemaError, match=r"has no schema yet; .* run `longmen migrate`"):
        migrate.check_schema(empty)
    assert migrate.upgrade(empty) == (None, needed)
    migrate.check_schema(empty)
    assert migrate.upgrade(empty) == (needed, needed)


def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    set_version(database.owner_dsn, "9999")
    for refuse in (migrate.check_schema, migrate.upgrade):
        with pytest.raises(SchemaError, match="9999, which this server does not know"):
            refuse(database.owner_dsn)
    assert migrate.current_version(database.owner_dsn) == "9999"


def test_two_servers_starting_at_once_migrate_once(empty: str) -> None:
    results: list[tuple[str | None, str | None]] = []
    threads = [
        threading.Thread(target=lambda: results.append(migrate.upgrade(empty))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    needed = migrate.needed_version()
    assert sorted(results, key=str) == sorted([(None, needed)] + [(needed, needed)] * 3, key=str)


def test_a_migration_that_fails_leaves_nothing_behind(empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create table journal_block (in_the_way int)")
    with pytest.raises(SchemaError, match=r"the migration failed: .*journal_block"):
        migrate.upgrade(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        left = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ).fetchall()
        assert set(left) <= {("journal_block",), ("alembic_version",)}
        connection.execute("drop table journal_block")
    migrate.upgrade(empty)
    migrate.check_schema(empty)


def test_the_serving_role_works_on_the_tables_and_owns_none(database: Database) -> None:
    with psycopg.connect(database.app_dsn, autocommit=True) as connection:
        assert connection.execute("select count(*) from ledger_account").fetchone() == (0,)
        for statement in (
            "create table mine (id int)",
            "alter table ledger_account add column more int",
            "drop table ledger_account",
            "truncate ledger_account",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_schema_as_sql_is_what_a_migration_runs(empty: str, database: Database) -> None:
    output = io.StringIO()
    migrate.print_sql(output)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(output.getvalue().encode())
    assert tables(empty) == tables(database.owner_dsn)
    migrate.check_schema(empty)


def tables(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select table_name, column_name, data_type, is_nullable from information_schema.columns"
            " where table_schema = 'public' order by table_name, ordinal_position"
        ).fetchall()


def test_a_database_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(StorageError, match="cannot reach the database"):
        migrate.upgrade("host=/nonexistent dbname=x")


class TestCommand:
    def test_migrating_checking_and_printing(self, empty: str, tmp_path: Path) -> None:
        variables = {"LONGMEN_DSN": empty, "LONGMEN_DATA": str(tmp_path)}
        needed = migrate.needed_version()
        done = longmen("migrate", "--check", **variables)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(r"longmen: the database has no schema yet; .*\n", done.stderr)
        done = longmen("migrate", **variables)
        assert done.returncode == 0
        assert done.stderr == f"longmen: migrated the schema from nothing to {needed}\n"
        for words in (["migrate"], ["migrate", "--check"]):
            done = longmen(*words, **variables)
            assert (done.returncode, done.stderr) == (0, "longmen: the schema is up to date\n")
        done = longmen("migrate", "--sql")
        assert "CREATE TABLE alembic_version" in done.stdout

    @pytest.mark.parametrize(
        ("version", "message"),
        [("9999", "which this server does not know"), ("0000", "which this server does not know")],
    )
    def test_serving_a_wrong_version_is_refused(
        self, database: Database, tmp_path: Path, version: str, message: str
    ) -> None:
        set_version(database.owner_dsn, version)
        done = longmen(
            "serve",
            LONGMEN_DSN=database.app_dsn,
            LONGMEN_MIGRATE_DSN=database.owner_dsn,
            LONGMEN_DATA=str(tmp_path / "data"),
            LONGMEN_PORT="0",
        )
        assert done.returncode == 1
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_serving_an_old_schema_without_leave_to_migrate_is_refused(
        self, empty: str, tmp_path: Path
    ) -> None:
        done = longmen(
            "serve",
            "--no-migrate",
            LONGMEN_DSN=empty,
            LONGMEN_DATA=str(tmp_path / "data"),
            LONGMEN_PORT="0",
        )
        assert done.returncode == 1
        assert re.fullmatch(r"longmen: .* run `longmen migrate`\n", done.stderr)
