from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.accounts.masking import mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小明", "*明"),
        ("李明", "*明"),
        ("明", "*"),
        ("山田 太郎", "*郎"),
        ("김철수", "*수"),
        ("Alan Lee", "A*** L**"),
        ("Maximiliana Featherstonehaugh", "M*** F***"),
        ("J", "*"),
        ("J Lee", "* L**"),
        ("Ольга", "О***"),
        ("  spaced   out ", "s*** o**"),
        ("", "*"),
        ("   ", "*"),
    ],
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_an_accent_stays_with_its_letter() -> None:
    assert mask_name("E\u0301mile Zola") == "\u00c9*** Z***"


@given(st.text(min_size=1, max_size=60))
def test_a_mask_never_shows_a_whole_name_or_its_length(name: str) -> None:
    masked = mask_name(name)
    assert "*" in masked
    for word in masked.split():
        assert len(word) <= 4


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613800138000", "+86138****8000"),
        ("+14155550123", "+141****0123"),
        ("+1234567", "+1****67"),
        ("+123456789", "+123****89"),
        ("+123456789012345", "+1234567****2345"),
    ],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_four_digits_of_every_phone_are_hidden(phone: str) -> None:
    masked = mask_phone(phone)
    assert len(masked) == len(phone)
    assert masked.count("*") == 4
