"""What a till stores without a network: on the disk before the goods go, signed, and bounded."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from longmen.payments.v1 import offline_pb2
from longmen.type.v1 import money_pb2
from longmen_app import emv_form
from longmen_client import Money
from longmen_merchant.offline import OfflineError, OfflineStore, signed_text
from longmen_server.platform.device_keys import DeviceKey

if TYPE_CHECKING:
    from pathlib import Path

TERMINAL, KEY = "trm_" + "1" * 32, "tky_" + "2" * 32
TEA = Money(300, "CNY")
HOUR_US = 3_600_000_000


def code(number: int) -> str:
    body = f"8{number:015d}"
    return body + f"{98 - int(body) * 100 % 97:02d}"


def told(**changes: Any) -> offline_pb2.OfflineTerms:
    return offline_pb2.OfflineTerms(
        **{
            "sale_limit": money_pb2.Money(minor_units=500, currency_code="CNY"),
            "stored_count": 3,
            "stored_limit": money_pb2.Money(minor_units=1_000, currency_code="CNY"),
            "window_seconds": 3_600,
            **changes,
        }
    )


class Hands:
    """A clock that is set by hand, in microseconds."""

    def __init__(self) -> None:
        self.now_us = 1_700_000_000_123_456

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def store(tmp_path: Path, clock: Hands) -> OfflineStore:
    made = OfflineStore(tmp_path / "till.db", clock=clock)
    made.prepared(TERMINAL, KEY, told())
    return made


def reason(store: OfflineStore, scanned: str, amount: Money = TEA) -> str:
    with pytest.raises(OfflineError) as caught:
        store.accept(scanned, amount)
    return caught.value.reason


def test_a_stored_sale_is_signed_by_the_till(store: OfflineStore, clock: Hands) -> None:
    kept = store.accept(code(1), TEA, order_number="A-1", description="tea")
    assert (kept.sequence, kept.order_number, kept.accepted_at_us) == (1, "A-1", clock.now_us)
    key_id, (sale,) = store.next_batch(50)
    assert key_id == KEY
    public = DeviceKey(store.key.algorithm, store.key.public_key)
    text = signed_text(sale, TERMINAL, KEY)
    assert public.verifies(sale.signature, text)
    assert text.decode().split("\n")[3:7] == ["1", "A-1", "300", "CNY"]
    assert str(clock.now_us) in text.decode()
    assert sale.trace_number == 999_999


def test_what_a_till_can_know_without_the_bank(store: OfflineStore, clock: Hands) -> None:
    assert reason(store, "8 12") == "CODE_MALFORMED"
    assert reason(store, code(1)[:-1]) == "CODE_MALFORMED"
    assert reason(store, code(1)[:-1] + str((int(code(1)[-1]) + 1) % 10)) == "CODE_MALFORMED"
    assert reason(store, base64.b64encode(b"something else").decode()) == "CODE_MALFORMED"
    assert reason(store, "134567890123456789") == "CODE_UNKNOWN_SCHEME"
    assert reason(store, code(1), Money(501, "CNY")) == "OFFLINE_LIMIT_EXCEEDED"
    assert reason(store, code(1), Money(5, "EUR")) == "OFFLINE_LIMIT_EXCEEDED"
    store.accept(emv_form(code(1)), Money(500, "CNY"))
    store.accept(code(2), Money(400, "CNY"))
    assert reason(store, code(2)) == "CODE_USED"
    assert reason(store, code(3), Money(101, "CNY")) == "STORE_FULL"
    clock.now_us += HOUR_US + 1
    assert reason(store, code(3), Money(1, "CNY")) == "STORE_TOO_OLD"


def test_a_till_that_the_bank_does_not_know_stores_nothing(tmp_path: Path) -> None:
    with OfflineStore(tmp_path / "till.db") as fresh:
        assert (fresh.terms, fresh.key_id) == (None, "")
        assert reason(fresh, code(1)) == "NOT_PREPARED"


def test_answers_make_room_and_the_sequence_goes_on(store: OfflineStore, tmp_path: Path) -> None:
    for number in range(3):
        store.accept(code(number), Money(100, "CNY"))
    assert reason(store, code(4), Money(1, "CNY")) == "STORE_FULL"
    results = [
        offline_pb2.OfflineResult(sequence=1, outcome=offline_pb2.OFFLINE_OUTCOME_PAID),
        offline_pb2.OfflineResult(
            sequence=2,
            outcome=offline_pb2.OFFLINE_OUTCOME_LOST,
            reason="CODE_USED",
            loss_bearer=offline_pb2.LOSS_BEARER_MERCHANT,
        ),
    ]
    answers = store.answered(results)
    assert [(one.outcome, one.reason, one.loss_bearer, one.paid) for one in answers] == [
        ("PAID", "", "", True),
        ("LOST", "CODE_USED", "MERCHANT", False),
    ]
    assert (store.pending, store.results()) == (1, answers)
    store.forget(99)
    assert store.results() == []
    assert store.accept(code(4), Money(1, "CNY")).sequence == 4
    public = store.key.public_key
    store.close()
    with OfflineStore(tmp_path / "till.db") as again:
        assert again.key.public_key == public
        assert [sale.sequence for sale in again.next_batch(50)[1]] == [3, 4]


def test_one_process_uses_a_store(store: OfflineStore, tmp_path: Path) -> None:
    store.accept(code(1), TEA)
    with pytest.raises(OfflineError) as caught:
        OfflineStore(tmp_path / "till.db")
    assert caught.value.reason == "STORE_BUSY"
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database, and longer than the header of one" * 40)
    with pytest.raises(OfflineError) as caught:
        OfflineStore(broken)
    assert caught.value.reason == "STORE_DAMAGED"


SELLER = """
import sys
from longmen_merchant.offline import OfflineStore
from longmen_client import Money
store = OfflineStore(sys.argv[1])
number = 0
while True:
    number += 1
    body = f"8{number:015d}"
    sale = store.accept(body + f"{98 - int(body) * 100 % 97:02d}", Money(1, "CNY"))
    print(sale.sequence, flush=True)
"""


def test_whatever_was_sold_survives_the_power(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    with OfflineStore(path) as made:
        made.prepared(TERMINAL, KEY, told(stored_count=10_000))
        public = DeviceKey(made.key.algorithm, made.key.public_key)
    with subprocess.Popen(
        [sys.executable, "-c", SELLER, str(path)], stdout=subprocess.PIPE, text=True
    ) as seller:
        assert seller.stdout is not None
        sold = [int(seller.stdout.readline()) for _ in range(20)]
        os.kill(seller.pid, signal.SIGKILL)
        sold += [int(line) for line in seller.stdout.read().split()]
    with OfflineStore(path) as found:
        _, sales = found.next_batch(10_000)
        assert [sale.sequence for sale in sales][: len(sold)] == sold
        for sale in sales:
            assert public.verifies(sale.signature, signed_text(sale, TERMINAL, KEY))
