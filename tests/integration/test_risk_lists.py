"""Lists of risk through the RPCs: imported whole or not at all, by two people, looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from longmen.events.v1 import event_pb2
from longmen.risk.v1 import list_pb2
from longmen_server.risk.model import ListedKind
from longmen_server.risklists import model
from longmen_server.risklists.queries import index_of, lists_version, read_lists
from tests.support.risk_rules import imported, list_import
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.risklists.index import ListIndex
    from tests.support.edge import Told
    from tests.support.postgres import Database

ACCOUNT = list_pb2.LIST_KIND_ACCOUNT


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("lists")) as opened:
        yield opened


async def refused(bank: SmallBank, name: str, token: str = SERVICE, /, **fields: Any) -> Told:
    method = BY_NAME[f"ListsService/{name}"]
    request: Any = method.request_class(**fields)
    if method.repeatable:
        request.request_id = bank.new_request_id()
    return await bank.refused(method, request, token)


async def in_force(bank: SmallBank) -> tuple[int, ListIndex]:
    """What every worker looks into from the next second on."""
    deadline = bank.parts.trusted_clock.monotonic() + 10
    async with bank.parts.readers.connection(deadline=deadline) as connection:
        version = await lists_version(connection, BOOK)
        return version, index_of(await read_lists(connection, BOOK))


def account(number: int) -> str:
    return f"acct_{number:028x}{BOOK:04x}"


async def test_a_hundred_thousand_rows_come_in_by_chunks_and_the_bad_ones_are_told(
    bank: SmallBank,
) -> None:
    rows = [f"{account(number)},file {number}\n" for number in range(100_000)]
    rows[41_000] = "acct_41000,typing error\n"
    rows[99_999] = f"{account(7)}\u200b,hidden\n"
    text = ("value,label\n" + "".join(rows)).encode()
    lines = text.splitlines(keepends=True)
    begun = await list_import(bank, name="mules", kind=ACCOUNT, source="police, list 17")
    known = {"list_import_id": begun.list_import_id}
    bad: list[Any] = []
    reply: Any = None
    chunks = [b"".join(lines[at : at + 16_000]) for at in range(0, len(lines), 16_000)]
    for number, content in enumerate(chunks, start=1):
        reply = await bank.do(
            "ListsService/UploadListRows", **known, chunk_number=number, content=content
        )
        bad.extend(reply.bad_rows)
    assert [(one.line, one.code) for one in bad] == [
        (41_002, "NOT_AN_ID"),
        (100_001, "HIDDEN_CHARACTER"),
    ]
    assert (reply.list_import.entry_count, reply.list_import.line_count) == (99_998, 100_001)
    before, index = await in_force(bank)
    assert index.of(ListedKind.ACCOUNT, account(1)) == (), "nothing goes by it yet"
    commit = {**known, "chunk_count": len(chunks)}
    told = await refused(bank, "CommitListImport", **commit)
    assert (told.reason, told.metadata) == (
        "RISK_LIST_INVALID",
        {"bad_row_count": "2", "entry_count": "99998"},
    )
    reply = await bank.do("ListsService/CommitListImport", **commit, skip_bad_rows=True)
    assert (reply.risk_list.version, reply.risk_list.entry_count) == (1, 99_998)
    after, index = await in_force(bank)
    assert after == before + 1
    assert index.of(ListedKind.ACCOUNT, account(99_998)) == ("mules",)
    found = await bank.do("ListsService/CheckListed", kind=ACCOUNT, value=account(3))
    assert list(found.list_names) == ["mules"]
    events = await bank.do(
        "EventsService/ListEvents", types=[event_pb2.EVENT_TYPE_RISK_LIST_CHANGED], page_size=9
    )
    change = events.events[-1].risk_list_change
    assert (change.name, change.kind, change.source) == ("mules", "ACCOUNT", "police, list 17")


async def test_an_import_replaces_all_that_the_list_said_and_two_staff_agree(
    bank: SmallBank,
) -> None:
    first = await imported(bank, b"IR\nBY\n", name="watch")
    await bank.do("ListsService/CommitListImport", list_import_id=first, chunk_count=1)
    second = await imported(bank, b"SY\n", b"CU\n", name="watch", as_of_date="2026-11-20")
    asked = {"list_import_id": second, "chunk_count": 2, "request_id": bank.new_request_id()}
    maker, checker = (bank.token_of("staff", name) for name in ("ines", "omar"))
    assert (await refused(bank, "CommitListImport", maker, **asked)).reason == "APPROVAL_REQUIRED"
    proposed = (
        await bank.do(
            "ApprovalsService/ProposeApproval",
            maker,
            command={"commit_list_import": asked},
            reason_text="list of November",
        )
    ).approval
    shown = {(one.field, one.before, one.after) for one in proposed.changes}
    assert {("version", "1", "2"), ("committed", "False", "True")} <= shown
    await bank.do(
        "ApprovalsService/ApproveApproval",
        checker,
        approval_id=proposed.approval_id,
        payload_hash=proposed.payload_hash,
    )
    _, index = await in_force(bank)
    names = [index.of(ListedKind.COUNTRY, code) for code in ("IR", "BY", "SY", "CU")]
    assert names == [(), (), ("watch",), ("watch",)]
    (shown_list,) = [
        one
        for one in (await bank.do("ListsService/ListRiskLists")).risk_lists
        if one.name == "watch"
    ]
    assert (shown_list.version, shown_list.entry_count, shown_list.as_of_date) == (
        2,
        2,
        "2026-11-20",
    )


async def test_chunks_come_in_order_once_and_only_while_the_import_is_open(
    bank: SmallBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = (await list_import(bank)).list_import_id
    known = {"list_import_id": begun}
    row = {"content": b"KP\n"}
    told = await refused(bank, "UploadListRows", **known, chunk_number=2, **row)
    expected = {"expected_number": "1", "line_count": "0"}
    assert (told.reason, told.metadata) == ("RISK_LIST_CHUNK_ORDER", expected)
    await bank.do("ListsService/UploadListRows", **known, chunk_number=1, **row)
    again = await refused(bank, "UploadListRows", **known, chunk_number=1, **row)
    expected = {"expected_number": "2", "line_count": "1"}
    assert (again.reason, again.metadata) == ("RISK_LIST_CHUNK_ORDER", expected)
    short = await refused(bank, "CommitListImport", **known, chunk_count=2)
    assert short.reason == "RISK_LIST_CHUNK_ORDER"
    monkeypatch.setattr(model, "ENTRIES_MAX", 1)
    told = await refused(bank, "UploadListRows", **known, chunk_number=2, content=b"IR\n")
    assert (told.reason, told.metadata) == ("RISK_LIST_TOO_LARGE", {"limit_count": "1"})
    await bank.do("ListsService/CommitListImport", **known, chunk_count=1)
    for name, fields in (
        ("UploadListRows", {"chunk_number": 2, **row}),
        ("CommitListImport", {"chunk_count": 1}),
    ):
        told = await refused(bank, name, **known, **fields)
        assert (told.reason, told.metadata) == (
            "RISK_LIST_IMPORT_CLOSED",
            {"state": "COMMITTED"},
        )
        nobody = begun[:-8] + "00000001"
        told = await refused(bank, name, list_import_id=nobody, **fields)
        assert (told.reason, told.metadata) == (
            "RISK_LIST_IMPORT_NOT_FOUND",
            {"list_import_id": nobody},
        )


async def test_names_are_screened_by_likeness(bank: SmallBank) -> None:
    content = "Osama bin Laden,UN QDi.006\n王小明,\n".encode()
    made = await imported(bank, content, name="sanctions", kind=list_pb2.LIST_KIND_NAME)
    await bank.do("ListsService/CommitListImport", list_import_id=made, chunk_count=1)
    found = await bank.do("ListsService/ScreenName", name="Usаma BIN Ladin")
    (match,) = found.matches
    assert (match.list_name, match.entry, match.label) == (
        "sanctions",
        "Osama bin Laden",
        "UN QDi.006",
    )
    assert 85 <= match.likeness < 100
    strict = await bank.do("ListsService/ScreenName", name="Usama bin Ladin", minimum_likeness=99)
    assert not strict.matches
    for name, fields, code in (
        ("ScreenName", {"name": "??"}, "NOT_A_NAME"),
        ("CheckListed", {"kind": ACCOUNT, "value": "acct_1"}, "NOT_AN_ID"),
        (
            "CheckListed",
            {"kind": list_pb2.LIST_KIND_ADDRESS, "value": "10.0.0.0/8"},
            "NOT_AN_ADDRESS",
        ),
    ):
        told = await refused(bank, name, **fields)
        assert (told.reason, told.metadata) == ("RISK_LIST_VALUE_INVALID", {"code": code})
