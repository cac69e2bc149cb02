"""Page tokens open for the request they were made for, and for nothing else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen.ledger.v1.ledger_service_pb2 import ListAccountsRequest
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.context import Call, Principal
from longmen_server.transport.page_token import PageTokens

KEY = bytes(range(32))
TOKENS = PageTokens(KEY)


def call(method: str = "a/List", subject: str = "lin", kind: str = "customer") -> Call:
    wire: Any = None
    made = Call(method, wire)
    made.principal = Principal(
        kind=kind, subject=subject, scopes=frozenset(), customer_id=None, token_id="t"
    )
    return made


def refused(token: str, request: ListAccountsRequest, by: Call, tokens: PageTokens = TOKENS) -> str:
    with pytest.raises(Refusal) as caught:
        tokens.open(token, request, by)
    assert caught.value.field == "page_token"
    return caught.value.reason


@given(st.binary(min_size=1, max_size=200), st.integers(0, 100))
def test_token_opens_to_its_position_whatever_the_page_size(position: bytes, size: int) -> None:
    token = TOKENS.seal(position, ListAccountsRequest(book=1, page_size=10), call())
    again = ListAccountsRequest(book=1, page_size=size, page_token=token)
    assert TOKENS.open(token, again, call()) == position


def test_empty_token_is_the_first_page() -> None:
    assert TOKENS.open("", ListAccountsRequest(), call()) == b""


def test_token_hides_its_position() -> None:
    token = TOKENS.seal(b"acct_0001", ListAccountsRequest(), call())
    assert b"acct" not in base64.urlsafe_b64decode(token + "==")


@pytest.mark.parametrize(
    ("request_", "by"),
    [
        (ListAccountsRequest(book=2), call()),
        (ListAccountsRequest(book=1), call(method="a/ListOthers")),
        (ListAccountsRequest(book=1), call(subject="mei")),
        (ListAccountsRequest(book=1), call(kind="staff")),
    ],
    ids=["other arguments", "other method", "other caller", "other kind of caller"],
)
def test_token_is_bound(request_: ListAccountsRequest, by: Call) -> None:
    token = TOKENS.seal(b"position", ListAccountsRequest(book=1), call())
    assert refused(token, request_, by) == "INVALID_PAGE_TOKEN"


def test_token_of_another_key() -> None:
    token = PageTokens(bytes(32)).seal(b"position", ListAccountsRequest(), call())
    assert refused(token, ListAccountsRequest(), call()) == "INVALID_PAGE_TOKEN"


def test_every_changed_character_is_noticed() -> None:
    token = TOKENS.seal(b"position", ListAccountsRequest(), call())
    for at, character in enumerate(token[:-1]):
        changed = token[:at] + ("A" if character != "A" else "B") + token[at + 1 :]
        assert refused(changed, ListAccountsRequest(), call()) == "INVALID_PAGE_TOKEN"


@given(st.text(min_size=1, max_size=60))
def test_nonsense_is_refused(token: str) -> None:
    assert refused(token, ListAccountsRequest(), call()) == "INVALID_PAGE_TOKEN"


def test_endless_token_is_refused() -> None:
    assert refused("A" * 100_000, ListAccountsRequest(), call()) == "INVALID_PAGE_TOKEN"
