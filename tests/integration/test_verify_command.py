from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from longmen_server.ledger.verification.report import KINDS
from longmen_server.platform.postgres import DATABASE, SUPERUSER
from longmen_server.platform.postgres_home import find_home
from tests.support.server import data_folder, longmen, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def data() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def document(*words: str, status: int) -> Any:
    """The JSON document of a verification that ends with a status."""
    done = longmen("verify", "--json", *words)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def superuser(data: Path) -> str:
    """The embedded database of a running server, as its superuser."""
    return make_conninfo(
        host=str(find_home(data).runtime),
        user=SUPERUSER,
        password=(data / "postgres.password").read_text("ascii").strip(),
        dbname=DATABASE,
    )


def test_books_are_proven_beside_a_running_server_and_without_one(data: Path) -> None:
    words = ("--data", str(data))
    with running(data):
        proven = document(*words, status=0)
        with psycopg.connect(superuser(data)) as connection:
            connection.execute(
                "update ledger_account set credits_posted = credits_posted + 5"
                " where account_id = (select account_id from ledger_account limit 1)"
            )
        told = longmen("verify", *words)
    assert proven["finding_count"] == 0
    assert proven["findings"] == []
    assert proven["books"][0]["account_count"] > 0
    assert told.returncode == 1
    assert "COUNTER_MISMATCH" in told.stdout
    assert " ".join(KINDS["COUNTER_MISMATCH"].meaning.split()[:3]) in told.stdout
    at_rest = document(*words, status=1)
    assert at_rest["finding_count"] == 2
    assert {one["kind"] for one in at_rest["findings"]} == {
        "COUNTER_MISMATCH",
        "CURRENCY_UNBALANCED",
    }
    other = document(*words, "--book", "2", status=0)
    assert [one["book"] for one in other["books"]] == [2]


def test_a_database_by_dsn_is_read_without_a_data_folder(database_dsn: str, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert document("--dsn", database_dsn, "--data", str(nowhere), status=0)["findings"] == []
    assert not nowhere.exists()


def test_what_cannot_be_read_is_one_line(postgres_dsn: str, tmp_path: Path) -> None:
    for words, said in (
        (("--data", str(tmp_path / "nowhere")), "there is no database in"),
        (("--dsn", postgres_dsn), "has no schema yet"),
        (("--dsn", "host=/nowhere"), "cannot reach the database"),
    ):
        done = longmen("verify", *words)
        assert done.returncode == 1
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
        assert not done.stdout
    assert not (tmp_path / "nowhere").exists()
