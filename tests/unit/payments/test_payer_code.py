"""Payer codes: made offline, read by any till, spent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longmen_server.payments.codes import payer_code
from longmen_server.payments.codes.tlv import CodeError

if TYPE_CHECKING:
    from longmen_server.payments.codes.payer_code import PayerCode

SECRET = bytes(range(32))
MINUTE_US = 60_000_000
NOW_US = 29_921_000 * MINUTE_US + 30_000_000
VECTOR = "812345678390493756"

handles = st.integers(0, payer_code.HANDLES - 1)
sequences = st.integers(0, 9)
secrets = st.binary(min_size=32, max_size=32)


def code_at(now_us: int, *, sequence: int = 0, secret: bytes = SECRET) -> PayerCode:
    step = payer_code.step_at(now_us)
    return payer_code.parse(
        payer_code.make(secret, handle=12_345_678, step=step, sequence=sequence)
    )


def test_a_code_for_the_books() -> None:
    """A vector for other makers of codes."""
    code = payer_code.make(SECRET, handle=12_345_678, step=29_921_000, sequence=3)
    assert len(code) == 18
    assert code == VECTOR
    assert payer_code.scheme_of(code) == "longmen"


@given(secrets, handles, sequences, st.integers(1, 10**9))
def test_what_a_device_makes_is_recognised(
    secret: bytes, handle: int, sequence: int, step: int
) -> None:
    text = payer_code.make(secret, handle=handle, step=step, sequence=sequence)
    code = payer_code.parse(text)
    assert (code.handle, code.sequence) == (handle, sequence)
    found = payer_code.step_of(code, secret, now_us=step * MINUTE_US)
    assert found is not None
    assert abs(found - step) <= payer_code.WINDOW_STEPS


@given(handles, sequences, st.data())
def test_a_misread_digit_or_a_swap_never_passes(
    handle: int, sequence: int, data: st.DataObject
) -> None:
    text = payer_code.make(SECRET, handle=handle, step=1, sequence=sequence)
    at = data.draw(st.integers(0, 17))
    digit = data.draw(st.sampled_from("0123456789").filter(lambda new: new != text[at]))
    with pytest.raises(CodeError):
        payer_code.parse(text[:at] + digit + text[at + 1 :])
    left = data.draw(st.integers(0, 16))
    if text[left] != text[left + 1]:
        with pytest.raises(CodeError):
            payer_code.parse(text[:left] + text[left + 1] + text[left] + text[left + 2 :])


@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_a_clock_may_be_a_minute_off(minutes: int) -> None:
    code = code_at(NOW_US + minutes * MINUTE_US)
    assert payer_code.step_of(code, SECRET, now_us=NOW_US) is not None


@pytest.mark.parametrize("minutes", [-2, 2, -60])
def test_an_old_or_early_code_is_worth_nothing(minutes: int) -> None:
    code = code_at(NOW_US + minutes * MINUTE_US)
    assert payer_code.step_of(code, SECRET, now_us=NOW_US) is None


def test_another_devices_secret_makes_other_codes() -> None:
    code = code_at(NOW_US, secret=bytes(32))
    assert payer_code.step_of(code, SECRET, now_us=NOW_US) is None


def test_the_ten_codes_of_a_minute_differ_and_each_is_spent_once() -> None:
    used: tuple[int, ...] = ()
    passwords = []
    for sequence in range(10):
        code = code_at(NOW_US, sequence=sequence)
        step = payer_code.step_of(code, SECRET, now_us=NOW_US)
        assert step is not None
        spent = payer_code.spend(code, step, used, now_us=NOW_US)
        assert spent is not None
        assert payer_code.spend(code, step, spent, now_us=NOW_US) is None
        used = spent
        passwords.append(code.password)
    assert len(set(passwords)) == 10


def test_a_code_stays_spent_as_long_as_it_could_be_shown() -> None:
    code = code_at(NOW_US)
    step = payer_code.step_at(NOW_US)
    used = payer_code.spend(code, step, (), now_us=NOW_US)
    assert used is not None
    late = NOW_US + MINUTE_US
    assert payer_code.step_of(code, SECRET, now_us=late) == step
    assert payer_code.spend(code, step, used, now_us=late) is None
    gone = NOW_US + 2 * MINUTE_US
    assert payer_code.step_of(code, SECRET, now_us=gone) is None
    # A till without a network may yet forward it: it is forgotten when none can any more.
    forwarded = NOW_US + (payer_code.MEMORY_STEPS - 1) * MINUTE_US
    assert payer_code.spend(code, step, used, now_us=forwarded) is None
    far = NOW_US + (payer_code.MEMORY_STEPS + 1) * MINUTE_US
    later = code_at(far)
    kept = payer_code.spend(later, payer_code.step_at(far), used, now_us=far)
    assert kept == (later.use(payer_code.step_at(far)),)
    assert payer_code.spend(code, step, kept, now_us=far) is None


def test_what_may_have_been_forgotten_counts_as_spent() -> None:
    used: tuple[int, ...] = ()
    first = payer_code.step_at(NOW_US)
    for number in range(payer_code.MEMORY_USES + 1):
        step, sequence = first + number // 10, number % 10
        code = payer_code.PayerCode(1, sequence, "000000")
        spent = payer_code.spend(code, step, used, now_us=NOW_US + number // 10 * MINUTE_US)
        assert spent is not None
        used = spent
    assert len(used) == payer_code.MEMORY_USES
    now_us = NOW_US + 5 * MINUTE_US
    for sequence in (0, 1):  # the one that was forgotten, and the oldest that was not
        code = payer_code.PayerCode(1, sequence, "000000")
        assert payer_code.spend(code, first, used, now_us=now_us) is None
    unused = payer_code.PayerCode(1, 9, "000000")
    kept = payer_code.spend(unused, first + 4, used, now_us=now_us)
    assert kept is not None
    assert len(kept) == payer_code.MEMORY_USES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not_digits"),
        ("8123456783١2345678", "not_digits"),
        ("8 12345678312345678", "not_digits"),
        ("134567890123456789", "scheme_unknown"),
        ("8123", "length_wrong"),
        ("8" * 19, "length_wrong"),
        ("812345678312345600", "check_digits_wrong"),
    ],
)
def test_what_is_no_payer_code(text: str, problem: str) -> None:
    with pytest.raises(CodeError) as caught:
        payer_code.parse(text)
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("134567890123456789", "wechat_pay"),
        ("281234567890123456", "alipay"),
        ("6212345678901234567", "unionpay"),
        ("812345678312345600", "longmen"),
        ("99", ""),
        ("x", ""),
    ],
)
def test_one_input_field_tells_whose_code_it_is(text: str, scheme: str) -> None:
    assert payer_code.scheme_of(text) == scheme
