"""What holds for every RPC, taken from the contract's descriptors, against the real services.

A new RPC fails here until `tests.support.sample_requests.SAMPLES` has a good request for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import pytest

from longmen_server.ledger.paging import PAGE_SIZE_MAX
from longmen_server.transport.method import Method
from tests.support.rpcs import (
    METHODS,
    changed,
    elsewhere,
    fields_of,
    has_field,
    id_paths,
    of_foreign_book,
    only_proposed,
    read_path,
    short,
    with_path,
)
from tests.support.sample_requests import (
    FOREIGN_BASES,
    OPEN_IDS,
    SAMPLES,
    kept_sample,
    make,
    make_sample,
)
from tests.support.small_bank import ATTEMPTS, KINDS, SERVICE, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

    from tests.support.edge import Told
    from tests.support.postgres import Database
    from tests.support.small_bank import Answer

REPEATABLE = [method for method in METHODS if method.repeatable and not only_proposed(method)]
LISTS = [method for method in METHODS if has_field(method, "page_token")]
SIZED = [method for method in METHODS if has_field(method, "page_size")]
RESUMED = [method for method in METHODS if has_field(method, "cursor")]
FRESH = [method for method in METHODS if has_field(method, "at_least_as_fresh")]
CUSTOMERS_IDS = [
    (method, path)
    for method in METHODS
    if "customer" in method.principal_kinds
    for path in id_paths(method.request_class.DESCRIPTOR)
]
OWN_IDS = [
    (method, path) for method, path in CUSTOMERS_IDS if (short(method), path) not in OPEN_IDS
]

GARBAGE = b"\xff\xff\xff"
"""Bytes that are no message."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    """One server for all cases: each case has customers of its own."""
    async with open_small_bank(module_database, tmp_path_factory.mktemp("small_bank")) as opened:
        yield opened


def every(methods: list[Method]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", methods, ids=short)


def every_pair(pairs: list[tuple[Method, Any]], second: str) -> pytest.MarkDecorator:
    # Never a method's own text: a set in it has another order in every test process.
    ids = [
        f"{short(method)}-{short(other) if isinstance(other, Method) else other}"
        for method, other in pairs
    ]
    return pytest.mark.parametrize(("method", second), pairs, ids=ids)


def code(answer: Told) -> tuple[str, str]:
    return answer.code.name, answer.reason


def insider(method: Method) -> str:
    """A kind of principal that may call a method: a service, wherever one may."""
    return "service" if "service" in method.principal_kinds else min(method.principal_kinds)


# -- The matrix itself.


def test_every_rpc_has_a_sample_and_no_sample_is_left_over() -> None:
    assert {short(method) for method in METHODS} == SAMPLES.keys()


def test_every_service_of_the_contract_is_served(bank: SmallBank) -> None:
    assert {method.service for method in METHODS} == bank.services


def test_exceptions_are_ids_that_somebody_can_name() -> None:
    assert {(short(method), path) for method, path in CUSTOMERS_IDS} >= OPEN_IDS.keys()
    known = {
        (short(method), path)
        for method in METHODS
        for path in id_paths(method.request_class.DESCRIPTOR)
    }
    assert known >= FOREIGN_BASES.keys()


# -- 1. Who may call.


@every(METHODS)
async def test_nobody_calls_without_a_token(bank: SmallBank, method: Method) -> None:
    _, request = await kept_sample(bank, method)
    before = bank.contents()
    for payload in (request, GARBAGE):
        if "anonymous" not in method.principal_kinds:
            missing = await bank.refused(method, payload, None)
            assert code(missing) == ("UNAUTHENTICATED", "TOKEN_MISSING")
        forged = await bank.refused(method, payload, "forged")
        assert code(forged) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert bank.contents() == before


@every(METHODS)
async def test_wrong_kinds_and_missing_scopes_are_refused(bank: SmallBank, method: Method) -> None:
    owner, request = await kept_sample(bank, method)
    allowed = method.principal_kinds
    tokens = {kind: bank.token(kind, owner) for kind in KINDS if kind not in allowed}
    tokens |= {
        f"{kind} without {method.scope}": bank.token(kind, owner, without=method.scope)
        for kind in sorted(allowed - {"anonymous"})
    }
    assert len(tokens) == len(KINDS)
    before = bank.contents()
    for who, token in tokens.items():
        for payload in (request, GARBAGE):
            answer = await bank.refused(method, payload, token)
            assert code(answer) == ("PERMISSION_DENIED", "PERMISSION_DENIED"), who
            assert answer.metadata == {"method": method.path}
    assert bank.contents() == before


# -- 2. What a good request does, and does again.


@every_pair([(m, kind) for m in METHODS for kind in sorted(m.principal_kinds)], "kind")
async def test_sample_succeeds_for_every_kind_allowed(
    bank: SmallBank, method: Method, kind: str
) -> None:
    owner = await bank.person()
    request = await make_sample(bank, method, owner)
    before = bank.contents()
    if kind == "staff" and method.staff_needs_approval:
        refusal = await bank.refused(method, request, bank.token(kind, owner))
        assert code(refusal) == ("PERMISSION_DENIED", "APPROVAL_REQUIRED")
        assert refusal.metadata == {"method": method.path}
        assert bank.contents() == before
        return
    answer = await bank.call(method, request, bank.token(kind, owner))
    assert answer.messages
    assert not answer.replayed
    # SetClock sets a clock, which no table has; everything else that writes is repeatable.
    assert (bank.contents() != before) == method.repeatable


class Done(NamedTuple):
    """A request that had its effect, and what was answered."""

    token: str
    request: Message
    first: Answer


@pytest.fixture(scope="module")
def done_requests() -> dict[str, Done]:
    """Kept by the method's path: whatever comes again under their ids has no effect."""
    return {}


async def done_once(bank: SmallBank, done_requests: dict[str, Done], method: Method) -> Done:
    if method.path not in done_requests:
        owner = await bank.person()
        token = bank.token(insider(method), owner)
        request = await make_sample(bank, method, owner)
        first = await bank.call(method, request, token)
        done_requests[method.path] = Done(token, request, first)
    return done_requests[method.path]


@every(REPEATABLE)
async def test_same_request_again_has_the_same_answer_and_no_effect(
    bank: SmallBank, done_requests: dict[str, Done], method: Method
) -> None:
    token, request, first = await done_once(bank, done_requests, method)
    before = bank.contents()
    for _ in range(2):
        again = await bank.call(method, request, token)
        assert again.messages == first.messages
        assert again.replayed
    assert bank.contents() == before


@every_pair([(m, name) for m in REPEATABLE for name in fields_of(m)], "name")
async def test_same_id_for_another_content_is_refused_by_the_fields_name(
    bank: SmallBank, done_requests: dict[str, Done], method: Method, name: str
) -> None:
    token, request, _ = await done_once(bank, done_requests, method)
    before = bank.contents()
    answer = await bank.refused(method, changed(request, name), token)
    assert code(answer) == ("FAILED_PRECONDITION", "REQUEST_ID_REUSED")
    assert answer.metadata == {"fields": name}
    assert bank.contents() == before


@every(REPEATABLE)
async def test_request_id_has_to_be_there_and_whole(bank: SmallBank, method: Method) -> None:
    owner, sample = await kept_sample(bank, method)
    before = bank.contents()
    for request_id in ("", "not-a-uuid", "0190e7a2-6c1f-7c3a-9d1e-0123456789a"):
        request = with_path(sample, "request_id", request_id)
        answer = await bank.refused(method, request, bank.token(insider(method), owner))
        assert code(answer) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert answer.fields == ["request_id"]
    assert bank.contents() == before


# -- 3. Whose it is.


async def base_request(bank: SmallBank, method: Method, path: str, owner: Any) -> Message:
    sample = FOREIGN_BASES.get((short(method), path), SAMPLES[short(method)])
    return await make(bank, method, owner, sample)


@every_pair(OWN_IDS, "path")
async def test_what_is_anothers_answers_as_what_does_not_exist(
    bank: SmallBank, method: Method, path: str
) -> None:
    owner, stranger = await bank.person(), await bank.person()
    mine = await base_request(bank, method, path, owner)
    theirs = read_path(await base_request(bank, method, path, stranger), path)
    if theirs == bank.payee.account:  # a sample's other side is somebody else's in any case
        theirs = stranger.account
    token = bank.token("customer", owner)
    before = bank.contents(but=ATTEMPTS)
    answers = []
    for identifier in (theirs, elsewhere(theirs), of_foreign_book(theirs)):
        request = with_path(mine, path, identifier)
        if method.repeatable:
            request = with_path(request, "request_id", bank.new_request_id())
        answer = await bank.refused(method, request, token)
        assert answer.code == grpc.StatusCode.NOT_FOUND
        answers.append(answer.whole.replace(identifier.encode(), b"the id"))
    assert answers == answers[:1] * 3
    assert bank.contents(but=ATTEMPTS) == before


@every_pair([pair for pair in CUSTOMERS_IDS if pair not in OWN_IDS], "path")
async def test_open_ids_tell_nothing_but_whether_they_can_be_paid(
    bank: SmallBank, method: Method, path: str
) -> None:
    owner, stranger = await bank.person(), await bank.person()
    mine = await make_sample(bank, method, owner)
    token = bank.token("customer", owner)
    theirs = read_path(await make_sample(bank, method, stranger), path)
    if theirs == bank.payee.account or not theirs:
        theirs = stranger.account
    answer = await bank.call(method, with_path(mine, path, theirs), token)
    assert stranger.customer.encode() not in b"".join(answer.messages)
    assert stranger.phone.encode() not in b"".join(answer.messages)


# -- 4. Lists.


async def items(bank: SmallBank, method: Method, request: Any, token: str) -> tuple[list[Any], str]:
    """What a page has, and the token of the next."""
    page = await bank.ask(method, request, token)
    (name,) = (field.name for field in page.DESCRIPTOR.fields if field.is_repeated)
    return list(getattr(page, name)), page.next_page_token


async def first_token(bank: SmallBank, method: Method) -> tuple[Any, str]:
    """A list request of one item a page, and the token of its second page."""
    request: Any = (await kept_sample(bank, method))[1]
    request.page_size = 1
    _, token = await items(bank, method, request, bank.insider(method))
    assert token, "the sample has to have more than one item"
    return request, token


@every(SIZED)
async def test_page_size_may_not_be_negative(bank: SmallBank, method: Method) -> None:
    request: Any = (await kept_sample(bank, method))[1]
    request.page_size = -1
    answer = await bank.refused(method, request, bank.insider(method))
    assert code(answer) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert answer.fields == ["page_size"]


@every(LISTS)
async def test_page_token_that_nobody_made_is_refused(bank: SmallBank, method: Method) -> None:
    request: Any = (await kept_sample(bank, method))[1]
    for token in ("garbage", "AQ", "%", "A" * 512):
        request.page_token = token
        answer = await bank.refused(method, request, bank.insider(method))
        assert code(answer) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


@pytest.fixture(scope="module")
async def tokens_of_lists(bank: SmallBank) -> dict[str, str]:
    """A page token of every list, by the method's path."""
    return {method.path: (await first_token(bank, method))[1] for method in LISTS}


@every(LISTS)
async def test_page_tokens_of_all_other_methods_are_refused(
    bank: SmallBank, tokens_of_lists: dict[str, str], method: Method
) -> None:
    request: Any = (await kept_sample(bank, method))[1]
    for path, token in tokens_of_lists.items():
        if path != method.path:
            request.page_token = token
            answer = await bank.refused(method, request, bank.insider(method))
            assert code(answer) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN"), path


@every_pair(
    [(m, n) for m in LISTS for n in fields_of(m) if n not in {"page_size", "page_token"}], "name"
)
async def test_page_token_for_other_arguments_is_refused(
    bank: SmallBank, method: Method, name: str
) -> None:
    request, token = await first_token(bank, method)
    other: Any = changed(request, name)
    other.page_token = token
    answer = await bank.refused(method, other, bank.insider(method))
    assert code(answer) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


@every_pair([(m, kind) for m in LISTS for kind in sorted(m.principal_kinds)], "kind")
async def test_page_token_of_another_principal_is_refused(
    bank: SmallBank, method: Method, kind: str
) -> None:
    owner, _ = await kept_sample(bank, method)
    request, token = await first_token(bank, method)
    request.page_token = token
    other = bank.token_of_another(kind, owner)
    answer = await bank.refused(method, request, other)
    assert code(answer) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")


@every(LISTS)
async def test_pages_of_one_make_the_whole_list(bank: SmallBank, method: Method) -> None:
    # One's own: what lists are of may grow meanwhile.
    request: Any = await make_sample(bank, method, await bank.person())
    # Lists of the whole bank have what all tests before this one left: more than an unsized page.
    request.page_size = PAGE_SIZE_MAX
    whole, end = await items(bank, method, request, bank.insider(method))
    assert len(whole) > 1
    assert not end
    request.page_size = 1
    walked = []
    while True:
        page, token = await items(bank, method, request, bank.insider(method))
        assert len(page) <= 1
        walked += page
        if not token:
            break
        assert len(walked) < len(whole), "the walk goes on beyond the end"
        request.page_token = token
    assert walked == whole


@every(RESUMED)
async def test_cursor_that_nobody_made_is_refused(bank: SmallBank, method: Method) -> None:
    request: Any = (await kept_sample(bank, method))[1]
    for cursor in ("garbage", "AQ", "%", "A" * 4096):
        request.cursor = cursor
        answer = await bank.refused(method, request, bank.insider(method))
        assert code(answer) == ("INVALID_ARGUMENT", "INVALID_CURSOR")


async def test_events_one_at_a_time_are_the_whole_list(bank: SmallBank) -> None:
    (method,) = (m for m in RESUMED if short(m) == "EventsService/ListEvents")
    request: Any = await make_sample(bank, method, await bank.person())
    walks = []
    for size in (1000, 1):
        request.page_size, request.cursor = size, ""
        walked: list[Any] = []
        caught_up = False
        while not caught_up:
            page = await bank.ask(method, request, SERVICE)
            assert len(page.events) <= size
            assert page.cursor != request.cursor or page.caught_up, "the walk stands still"
            walked += page.events
            request.cursor, caught_up = page.cursor, page.caught_up
        walks.append(walked)
    assert walks[0] == walks[1]
    assert len(walks[0]) > 1


# -- 5. Freshness.


@every(FRESH)
async def test_consistency_token_that_nobody_made_is_refused(
    bank: SmallBank, method: Method
) -> None:
    request: Any
    owner, request = await kept_sample(bank, method)
    for token in ("garbage", "0" * 20, "0001" + "0" * 15, "ffff" + "0" * 16):
        request.at_least_as_fresh = token
        answer = await bank.refused(method, request, bank.token(insider(method), owner))
        assert code(answer) == ("INVALID_ARGUMENT", "INVALID_CONSISTENCY_TOKEN")
        assert answer.fields == ["at_least_as_fresh"]


@every(FRESH)
async def test_reads_take_the_committed_at_of_a_change(bank: SmallBank, method: Method) -> None:
    owner = await bank.person()
    request: Any = await make_sample(bank, method, owner)
    change = await bank.do(
        "AccountsService/FreezeAccount", account_id=owner.account, only_outgoing=True
    )
    request.at_least_as_fresh = change.committed_at
    assert (await bank.call(method, request, bank.token(insider(method), owner))).messages


@every(REPEATABLE)
async def test_every_change_tells_a_committed_at_that_reads_take(
    bank: SmallBank, method: Method
) -> None:
    owner = await bank.person()
    token = bank.token(insider(method), owner)
    change = await bank.ask(method, await make_sample(bank, method, owner), token)
    assert change.committed_at
    await bank.do(
        "LedgerService/GetAccount",
        account_id=owner.account,
        at_least_as_fresh=change.committed_at,
    )
