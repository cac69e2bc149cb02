"""Texts that people read are taken in one spelling only, and without what cannot be seen."""

from __future__ import annotations

import pytest

from longmen.ledger.v1.ledger_service_pb2 import CreateTransactionRequest, ListTransactionsRequest
from longmen_server.transport.acceptance import compile_acceptance
from longmen_server.transport.interceptors.validation import Validation
from longmen_server.transport.status import InvalidRequest
from longmen_server.transport.texts import unnormalized
from tests.support.messages import good_message

VALIDATION = Validation()

DECOMPOSED = "e\u0301"
COMPOSED = "\u00e9"


def request(text: str) -> CreateTransactionRequest:
    made = good_message(CreateTransactionRequest)
    assert isinstance(made, CreateTransactionRequest)
    made.postings[0].reference = text
    return made


def test_a_text_in_another_spelling_is_refused_by_its_path() -> None:
    with pytest.raises(InvalidRequest) as caught:
        VALIDATION._check(request(DECOMPOSED), 0)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("postings[0].reference", "string.nfc")


def test_a_composed_text_is_taken() -> None:
    VALIDATION._check(request(COMPOSED), 0)
    assert not list(unnormalized(request(COMPOSED)))


INVISIBLE = (
    *(0, 0x1B, 0x7F, 0x85, 0xAD, 0x61C, 0x180E, 0x200B, 0x200D, 0x2028),
    *(0x202E, 0x2066, 0x206F, 0xFEFF, 0xFFF9, 0xE0041),
)


@pytest.mark.parametrize("number", INVISIBLE, ids="U+{:04X}".format)
def test_what_cannot_be_seen_is_refused(number: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        VALIDATION._check(request(f"a{chr(number)}b"), 0)
    assert caught.value.metadata == {"rules": "string.plain_text"}


@pytest.mark.parametrize("text", ["人民币", "Zürich", "\U0001f600", "ไทย", "עברית"])
def test_what_people_write_is_taken(text: str) -> None:
    VALIDATION._check(request(text), 0)


def test_nul_is_refused_where_no_rule_of_the_contract_says_so() -> None:
    with pytest.raises(InvalidRequest) as caught:
        VALIDATION._check(ListTransactionsRequest(reference="a\0b"), 0)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("reference", "string.nul")
    accepts = compile_acceptance(ListTransactionsRequest)
    assert accepts is not None
    assert not accepts(ListTransactionsRequest(reference="a\0b"))
    assert accepts(ListTransactionsRequest(reference="ab"))
