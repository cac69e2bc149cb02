"""A consistency token is what the engine gave out, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.engine.working_set import WorkingSet
from longmen_server.platform.freshness import demand_freshness, encode_token
from longmen_server.platform.refusal import Refusal


@given(st.integers(1, 32767), st.integers(0, 2**63 - 1))
def test_every_token_given_out_is_taken(book: int, committed_at_us: int) -> None:
    demand_freshness(encode_token(book, committed_at_us))


@given(st.integers(1, 32767), st.integers(0, 2**62))
def test_the_engine_gives_out_such_tokens(book: int, now_us: int) -> None:
    working_set = WorkingSet(book, now_us)
    working_set.begin_stamps(0)
    assert working_set.committed_at == encode_token(book, max(now_us, 1))


def test_no_token_demands_nothing() -> None:
    demand_freshness("")


@pytest.mark.parametrize(
    "token",
    ["0", "0" * 20, "8000" + "0" * 16, "0001" + "0" * 17, "0001" + "A" * 16, " 001" + "0" * 16],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Refusal) as caught:
        demand_freshness(token)
    assert caught.value.reason == "INVALID_CONSISTENCY_TOKEN"
    assert caught.value.field == "at_least_as_fresh"
