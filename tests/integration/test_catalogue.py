"""The schema and the statements keep to the rules that let books live on many machines.

Each book's rows are found by its number alone: it stands first in every key, nothing reaches from
one book into another, and every statement names the book. These tests need no cluster; they read
the catalogue and the plans of one Postgres.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

import longmen_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import Database

PROBLEMS = """
with t as (
    select c.oid, c.relname, (select attnum from pg_attribute as a
        where a.attrelid = c.oid and attname = 'book' and not attisdropped) as k
    from pg_class as c where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
)
select t.relname || ': no primary key' as problem from t
where not exists (select 1 from pg_index as i where i.indrelid = t.oid and indisprimary)
union all
select t.relname || ': unique index ' || i.indexrelid::regclass || ' does not begin with book'
from t join pg_index as i on i.indrelid = t.oid and i.indisunique
where t.k is not null and t.relname <> 'book' and t.k <> i.indkey[0]
union all
select t.relname || ': exclusion ' || conname from t
join pg_constraint as c on c.conrelid = t.oid and contype = 'x' where t.k is not null
union all
select t.relname || ': foreign key ' || conname || ' lacks book' from t
join pg_constraint as c on c.conrelid = t.oid and contype = 'f'
join t as r on r.oid = c.confrelid
where t.k is not null and r.k is not null and r.relname <> 'book'
    and not exists (select 1 from unnest(c.conkey, c.confkey) as u (a, b) where a = t.k and b = r.k)
union all
select t.relname || ': foreign key from a table without book to ' || r.relname from t
join pg_constraint as c on c.conrelid = t.oid and contype = 'f'
join t as r on r.oid = c.confrelid
where t.k is null and r.k is not null and r.relname <> 'book'
union all
select t.relname || ': trigger ' || tgname from t
join pg_trigger as g on g.tgrelid = t.oid and not tgisinternal
union all
select t.relname || '.' || attname || ': sequence' from t
join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0
left join pg_attrdef as d on d.adrelid = t.oid and d.adnum = a.attnum
where t.k is not null and (attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like 'nextval(%')
"""

FAULTS = {
    "no key": ("create table f (book smallint, x int)", "f: no primary key"),
    "key without book": (
        "create table f (book smallint, x int, primary key (x))",
        "f: unique index",
    ),
    "book not first": (
        "create table f (book smallint, x int, primary key (x, book))",
        "f: unique index",
    ),
    "exclusion": (
        "create table f (book smallint primary key, exclude using btree (book with =))",
        "f: exclusion",
    ),
    "foreign key across books": (
        (
            "create table f (book smallint primary key);"
            " create table g (book smallint primary key, x smallint references f)"
        ),
        "g: foreign key",
    ),
    "foreign key into books": (
        (
            "create table f (book smallint primary key);"
            " create table g (x smallint primary key references f)"
        ),
        "g: foreign key from a table without book",
    ),
    "trigger": (
        (
            "create trigger t before insert on event for each row"
            " execute function suppress_redundant_updates_trigger()"
        ),
        "event: trigger t",
    ),
    "sequence": ("create table f (book smallint primary key, x bigserial)", "f.x: sequence"),
}
"""What the lint has to find: a statement that plants it, and how the report begins."""

NAMES_BOOK = re.compile(r"\bbook = \$\d+")
CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")


def problems(connection: psycopg.Connection[Any]) -> list[str]:
    return [problem for (problem,) in connection.execute(PROBLEMS).fetchall()]


def test_every_table_could_be_spread_by_book(module_database: Database) -> None:
    with psycopg.connect(module_database.admin_dsn) as connection:
        assert problems(connection) == []
        (count,) = connection.execute(
            "select count(*) from pg_attribute where attname = 'book' and attrelid in"
            " (select oid from pg_class where relkind = 'r')"
        ).fetchone() or (0,)
    assert count >= 8, "the tables of the ledger are there to be looked at"


@pytest.mark.parametrize("fault", FAULTS)
def test_lint_finds_a_planted_fault(module_database: Database, fault: str) -> None:
    statement, expected = FAULTS[fault]
    with psycopg.connect(module_database.admin_dsn) as connection:
        connection.execute(statement.encode())
        found = problems(connection)
        connection.rollback()
    assert any(problem.startswith(expected) for problem in found), found


def reading_statements() -> Iterator[tuple[str, bytes]]:
    """Every statement that stands as a constant in a module of queries, with its name."""
    for module in pkgutil.walk_packages(longmen_server.__path__, "longmen_server."):
        if re.search(r"\.(queries|tables)", module.name):
            loaded = importlib.import_module(module.name)
            for name, value in sorted(vars(loaded).items()):
                yield from _statements(f"{module.name}.{name}", value)


def _statements(name: str, value: object) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _statements(f"{name}[{index}]", item)
    elif isinstance(value, bytes) and re.match(rb"\s*(select|with)\b", value):
        yield name, value


STATEMENTS = dict(reading_statements())


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan that reads a table; what it changes it has read below."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        yield plan
    for below in plan.get("Plans", ()):
        yield from scans(below)


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) >= 15


def unbound_reads(dsn: str, statement: bytes) -> list[dict[str, Any]]:
    """The nodes of a statement's plan that read a table of books without naming the book."""
    with psycopg.connect(dsn, cursor_factory=psycopg.RawCursor) as connection:
        explain = b"explain (generic_plan, format json) " + statement
        (plan,) = connection.execute(explain).fetchone() or (None,)
        tables = connection.execute(
            "select c.relname from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
            " where a.attname = 'book' and c.relkind = 'r'"
        ).fetchall()
    assert plan is not None
    read = [node for node in scans(plan[0]["Plan"]) if (node["Relation Name"],) in tables]
    return [
        node
        for node in read
        if not NAMES_BOOK.search(" ".join(node.get(each, "") for each in CONDITIONS))
    ]


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_read_of_a_table_names_the_book(module_database: Database, name: str) -> None:
    unbound = unbound_reads(module_database.admin_dsn, STATEMENTS[name])
    assert not unbound, json.dumps(unbound, indent=1)


@pytest.mark.parametrize(
    "statement",
    [
        b"select count(*) from event",
        b"select * from event where writer = $1",
        (
            b"select * from event as e join ledger_posting as p on p.transaction_id = e.subject"
            b" where e.book = $1"
        ),
    ],
)
def test_a_read_that_names_no_book_is_noticed(module_database: Database, statement: bytes) -> None:
    assert unbound_reads(module_database.admin_dsn, statement)


@pytest.mark.parametrize(
    "table", ["ledger_posting", "event", "journal_block", "ledger_reversal", "ledger_refusal"]
)
@pytest.mark.parametrize("statement", ["update {} set book = book", "delete from {}"])
def test_the_serving_role_cannot_change_what_was_written(
    database: Database, table: str, statement: str
) -> None:
    with (
        psycopg.connect(database.app_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.format(table).encode())


JOINED = {
    "ledger_account": (
        b"update ledger_account as a set version = u.v from unnest($2::uuid[], $3::int8[]) as u"
        b" (id, v) where a.book = $1 and a.account_id = u.id"
    ),
    "risk_subject": (
        b"select s.state from unnest($2::int2[], $3::uuid[]) as u (k, i) join risk_subject as s"
        b" on s.book = $1 and s.kind = u.k and s.subject = u.i for no key update of s"
    ),
}
"""Statements of the engine by the table that a batch is joined with."""
LOOKED_UP = re.compile(r"book = .*(account_id|subject) = ")


def test_a_new_ledger_is_planned_for_as_a_large_one(database: Database) -> None:
    """The engine's plans are made early and stay: they must not read a whole book for a batch."""
    with psycopg.connect(database.app_dsn, cursor_factory=psycopg.RawCursor) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("statistics can be set since Postgres 18; before, ANALYZE mends the plan")
        connection.execute("set enable_seqscan = off")
        connection.execute(
            b"insert into ledger_account select 0, 0, 0, 0, 1, 1, 1, null, null, 1, 1, 1, 1,"
            b" gen_random_uuid(), null, 'CNY' from generate_series(1, 20)"
        )
        connection.execute(
            b"insert into risk_subject select 1, 1, 1, 0, gen_random_uuid(), null, ''"
            b" from generate_series(1, 20)"
        )
        for table, statement in JOINED.items():
            explain = b"explain (generic_plan, format json) " + statement
            (plan,) = connection.execute(explain).fetchone() or (None,)
            assert plan is not None
            (read,) = [
                node
                for node in scans(plan[0]["Plan"])
                if node.get("Relation Name") == table and "Index Cond" in node
            ]
            assert LOOKED_UP.search(read["Index Cond"]), read["Index Cond"]
