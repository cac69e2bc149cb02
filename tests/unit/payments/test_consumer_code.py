"""EMV codes that payers show: ours is found among others, and what is wrong is named."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_app import emv_form
from longmen_server.payments.codes import consumer_code
from longmen_server.payments.codes.tlv import CodeError

CODE = "812345678012345678"
OTHER = bytes.fromhex("610F4F07A0000003330101500455504159")
"""The template of another scheme: an application id and a label."""


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@given(st.text("0123456789", min_size=18, max_size=18))
def test_what_the_app_draws_is_what_is_read(code: str) -> None:
    drawn = emv_form(code)
    assert drawn == consumer_code.build(code)
    assert consumer_code.is_consumer_code(drawn)
    assert consumer_code.read(drawn) == code


def test_ours_is_found_among_other_schemes_and_unknown_objects() -> None:
    ours = base64.b64decode(consumer_code.build(CODE))
    head, template = ours[:7], ours[7:]
    mixed = head + OTHER + bytes.fromhex("9F2501119F8101810122") + template + b"\x64\x00"
    assert consumer_code.read(packed(mixed)) == CODE


HEAD = b"\x85\x05CPV01"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hQVDUFYwM!", "not_base64"),
        ("hQVDUFYwMQ=", "not_base64"),
        (packed(b"\x85\x05CPV02"), "format_missing"),
        (packed(b"\x61\x00" + HEAD), "format_missing"),
        (packed(HEAD + b"\x61"), "object_cut_short"),
        (packed(HEAD + b"\x61\x05\x4f"), "object_cut_short"),
        (packed(HEAD + b"\x9f\x81"), "object_cut_short"),
        (packed(HEAD + b"\x61\x82\x00\x01\x00"), "length_unsupported"),
        (packed(HEAD + b"\x61\x80"), "length_unsupported"),
        (packed(HEAD + OTHER), "scheme_unknown"),
        (packed(HEAD), "scheme_unknown"),
        (packed(HEAD + b"\x61\x0a\x4f\x08" + consumer_code.AID), "account_number_wrong"),
        (
            packed(HEAD + b"\x61\x0d\x4f\x08" + consumer_code.AID + b"\x5a\x01\xff"),
            "account_number_wrong",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    with pytest.raises(CodeError) as caught:
        consumer_code.read(text)
    assert caught.value.problem == problem
    if text == packed(HEAD + OTHER):
        assert caught.value.path == "a0000003330101"


@given(st.binary(max_size=60))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        found = consumer_code.read(packed(HEAD + data))
    except CodeError:
        found = CODE
    assert len(found) == 18
