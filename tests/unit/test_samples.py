"""What a development server has ready for load tools."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from longmen_server import samples
from longmen_server.platform.ids import ACCOUNT, book_of, milliseconds_of

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ids_are_the_documented_ones() -> None:
    texts = [ACCOUNT.encode(samples.sample_account_id(number, 1)) for number in (0, 1, 256)]
    assert texts == [
        "acct_00000000000070008000000000000001",
        "acct_00000000000070018000000000000001",
        "acct_00000000000071008000000000000001",
    ]


def test_the_ids_are_of_the_book_and_of_no_clock() -> None:
    for number in range(samples.PAYERS + 1):
        identifier = samples.sample_account_id(number, 32_767)
        assert book_of(identifier) == 32_767
        assert milliseconds_of(identifier) == 0


def test_payers_can_pay_for_ever() -> None:
    rows = [samples.sample_account(number, 1) for number in range(samples.PAYERS + 1)]
    assert all(row.floor_minor_units is None for row in rows)
    assert len({row.account_id for row in rows}) == samples.PAYERS + 1


def test_the_token_is_left_as_call_metadata_for_the_owner_only(tmp_path: Path) -> None:
    samples.write_call_metadata(tmp_path, "first")
    samples.write_call_metadata(tmp_path, "second")
    path = tmp_path / samples.CALL_METADATA_FILE
    assert json.loads(path.read_text("utf-8")) == {"authorization": "Bearer second"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
