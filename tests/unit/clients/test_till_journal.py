"""The journal of a till: one user at a time, whole after every write, strict about damage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from longmen_merchant import Entry, Journal, JournalError, Stage

if TYPE_CHECKING:
    from pathlib import Path


def entry(number: str = "1", stage: Stage = Stage.SENT) -> Entry:
    return Entry(
        number=number,
        stage=stage,
        minor_units=300,
        currency_code="CNY",
        request_id="r",
        settle_id="s",
        trace_number=7,
        business_date="2026-01-02",
    )


def test_what_was_put_is_there_after_a_restart_until_it_ends(tmp_path: Path) -> None:
    with Journal(tmp_path / "till.json") as journal:
        journal.put(entry("1"))
        journal.put(entry("2"))
        journal.put(entry("1", Stage.REVERSE))
        journal.end("2")
    with Journal(tmp_path / "till.json") as journal:
        assert journal.entries == (entry("1", Stage.REVERSE),)
        journal.end("1")
        journal.end("never there")
    with Journal(tmp_path / "till.json") as journal:
        assert journal.entries == ()


def test_trace_numbers_go_on_after_a_restart_and_begin_again_after_six_digits(
    tmp_path: Path,
) -> None:
    path = tmp_path / "till.json"
    with Journal(path) as journal:
        assert [journal.next_trace() for _ in range(3)] == [1, 2, 3]
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**document, "trace": 999_998}), "utf-8")
    with Journal(path) as journal:
        assert [journal.next_trace() for _ in range(3)] == [999_999, 1, 2]


def test_two_programs_do_not_use_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "till.json"
    with Journal(path), pytest.raises(JournalError, match="used by another process"):
        Journal(path)
    Journal(path).close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"trace": 1}', '{"trace": 1, "entries": [{}]}'])
def test_a_damaged_journal_is_not_taken_for_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "till.json").write_text(text, "utf-8")
    with pytest.raises(JournalError, match="damaged"):
        Journal(tmp_path / "till.json")
