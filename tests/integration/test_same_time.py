"""Unknown, wrong and locked are answered alike and take the same time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.identity.v1 import factor_pb2
from longmen_server.factors.commands import UnlockFactor
from longmen_server.platform.ids import CUSTOMER
from tests.support.edge import told
from tests.support.identity import Device, register
from tests.support.small_bank import BOOK, SmallBank, open_small_bank
from tests.support.step_up import PIN, WRONG_PIN, Payer, later
from tests.support.timing import assert_alike, differ, in_turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from tests.support.edge import Told
    from tests.support.identity import SignedIn
    from tests.support.postgres import Database

START, COMPLETE = "SessionsService/StartLogin", "SessionsService/CompleteLogin"
MINUTE = 60
ROUNDS = 12


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("time")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def unlock(bank: SmallBank, customer: str) -> None:
    command = UnlockFactor(BOOK, None, customer_id=CUSTOMER.decode(customer))
    await bank.parts.engine.submit(command, deadline=bank.parts.clock.monotonic() + 10)


async def begin(bank: SmallBank, phone: str, device: Device) -> dict[str, Any]:
    begun = await bank.do(START, "", phone_number=phone, key_thumbprint=device.key.thumbprint)
    return {
        "verification_id": begun.verification_id,
        "phone_number": phone,
        "code": "000000",
        "device": device.offer("CompleteLogin", begun.nonce),
    }


# -- Signing in.


class Stranger:
    """Somebody who tries a phone number without having the phone."""

    def __init__(self, bank: SmallBank, phone: str) -> None:
        self.bank = bank
        self.phone = phone
        self.device = Device()
        self.answers: list[tuple[Any, ...]] = []
        self.fields: dict[str, Any] = {}

    async def start(self) -> None:
        self.fields = await begin(self.bank, self.phone, self.device)

    async def guess(self, **more: Any) -> None:
        answer = await refusal(self.bank.do(COMPLETE, "", **self.fields, **more))
        self.answers.append((answer.code, answer.whole))


async def test_nobody_can_time_whether_a_phone_number_has_a_wallet(bank: SmallBank) -> None:
    known = Stranger(bank, (await register(bank)).phone)
    unknown = Stranger(bank, bank.new_phone())
    proofs: list[dict[str, Any]] = [
        {},
        {"proof": {"payment_pin": PIN}},
        {"proof": {"password": "x" * 20}},
    ]
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(8):
        later(bank, MINUTE)
        rounds = [("start", 1, {"known": known.start, "unknown": unknown.start})]
        for more in proofs:
            # Wrong codes first, then too many of them.
            guesses = {"known": partial(known.guess, **more)}
            rounds.append(("guess", 2, {**guesses, "unknown": partial(unknown.guess, **more)}))
        for what, times, calls in rounds:
            for name, found in (await in_turns(times, calls)).items():
                taken.setdefault(what, {}).setdefault(name, []).extend(found)
    assert known.answers == unknown.answers
    assert len(set(known.answers)) > 1
    for samples in taken.values():
        assert_alike(samples)


async def owner_at_the_door(bank: SmallBank) -> tuple[SignedIn, dict[str, Any]]:
    """A customer with a PIN, and a new device that has the right code."""
    who = await register(bank)
    await bank.signed("FactorsService/SetPaymentPin", who, pin=PIN)
    later(bank, MINUTE)
    fields = await begin(bank, who.phone, Device())
    text = bank.last_message(who.phone)
    return who, {**fields, "code": next(word for word in text.split() if word[:6].isdigit())[:6]}


async def test_a_wrong_and_a_blocked_pin_take_the_same_at_the_door(bank: SmallBank) -> None:
    wrong, wrong_fields = await owner_at_the_door(bank)
    _, blocked_fields = await owner_at_the_door(bank)
    proof = {"payment_pin": WRONG_PIN}
    answers = set()

    async def offer(fields: dict[str, Any], **more: Any) -> None:
        answer = await refusal(bank.do(COMPLETE, "", **{**fields, "proof": proof, **more}))
        answers.add((answer.code, answer.whole))

    for _ in range(3):
        await offer(blocked_fields)
    taken: dict[str, list[float]] = {"wrong": [], "blocked": []}
    for _ in range(ROUNDS):
        await unlock(bank, wrong.customer)
        one = await in_turns(
            1, {"wrong": partial(offer, wrong_fields), "blocked": partial(offer, blocked_fields)}
        )
        for name, times in one.items():
            taken[name] += times
    assert len(answers) == 1
    assert_alike(taken)


# -- Approving.


async def test_a_wrong_a_blocked_and_a_missing_pin_take_the_same(bank: SmallBank) -> None:
    payers = {name: await Payer.new(bank) for name in ("wrong", "blocked", "missing")}
    missing = payers["missing"]
    await missing.add_passkey()
    challenges = {name: await p.challenged(p.payment()) for name, p in payers.items()}
    (pin,) = [f for f in await missing.factors() if f.kind == factor_pb2.FACTOR_KIND_PAYMENT_PIN]
    await missing.approved("FactorsService/RemoveFactor", factor_id=pin.factor_id)
    answers = set()

    async def offer(name: str) -> None:
        answer = await payers[name].approve_refused(challenges[name], payment_pin=WRONG_PIN)
        answers.add((answer.code, answer.whole))

    for _ in range(3):
        await offer("blocked")
    taken: dict[str, list[float]] = {name: [] for name in payers}
    for _ in range(ROUNDS):
        await unlock(bank, payers["wrong"].person.customer)
        calls = {name: partial(offer, name) for name in payers}
        for name, times in (await in_turns(1, calls)).items():
            taken[name] += times
    assert len(answers) == 1
    assert_alike(taken)


async def test_a_check_that_is_left_out_is_noticed(bank: SmallBank) -> None:
    payer = await Payer.new(bank)
    challenge_id = await payer.challenged(payer.payment())

    async def looked_at() -> None:
        await payer.approve(challenge_id, payment_pin=PIN)

    async def not_looked_at() -> None:
        await payer.approve_refused(challenge_id, password="correct horse battery staple")

    taken = await in_turns(ROUNDS, {"hashed": looked_at, "not hashed": not_looked_at})
    assert differ(taken["hashed"], taken["not hashed"])
