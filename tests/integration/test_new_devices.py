"""A device that was never seen before: what lets it in, and what it may do at first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc.aio
import pyotp
import pytest

from longmen.admin.v1.admin_service_pb2 import VerifyLedgerResponse
from longmen.risk.v1 import outcome_pb2
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_server.platform.ids import CUSTOMER
from longmen_server.risk.desk import Loaded
from longmen_server.risk.model import FreezeScope, Outcome, OutcomeKind
from tests.support.edge import told
from tests.support.identity import Device, SignedIn, login, register, sign_in, signed_in
from tests.support.risk import DeviceRules
from tests.support.small_bank import BOOK, BY_NAME, SERVICE, SmallBank, cash, open_small_bank
from tests.support.step_up import later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from tests.support.edge import Told
    from tests.support.postgres import Database

COMPLETE = "SessionsService/CompleteLogin"
PASSWORD = "correct horse battery staple"
PIN, WRONG_PIN = "835207", "835208"
MINUTE, DAY = 60, 86_400
CAP = 100_000
"""What a new device may send in CNY, by the policy; a fifth as much USD would be too much."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("devices")) as opened:
        yield opened


async def refusal(call: Awaitable[Any]) -> Told:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def approved(bank: SmallBank, who: SignedIn, name: str, **fields: Any) -> Any:
    """The reply of a method that is approved by PIN when that is asked for."""
    fields = {"request_id": bank.new_request_id(), **fields}
    try:
        return await bank.signed(name, who, **fields)
    except grpc.aio.AioRpcError as error:
        answer = told(error)
        if answer.reason != "NEEDS_AUTH":
            raise
    await bank.signed(
        "ChallengesService/ApproveChallenge",
        who,
        challenge_id=answer.metadata["challenge_id"],
        more={"proof": {"payment_pin": PIN}},
    )
    return await bank.signed(name, who, **fields)


class Owner:
    """A customer on a first device, with factors, and the proofs they give."""

    def __init__(self, bank: SmallBank, who: SignedIn) -> None:
        self.bank = bank
        self.who = who
        self.seed = ""
        self.passkeys = SoftwareAuthenticator()

    @classmethod
    async def new(cls, bank: SmallBank, *factors: str) -> Owner:
        owner = cls(bank, await register(bank))
        for factor in factors:
            await getattr(owner, f"add_{factor}")()
        later(bank, MINUTE)
        return owner

    async def do(self, name: str, **fields: Any) -> Any:
        return await approved(self.bank, self.who, f"FactorsService/{name}", **fields)

    async def add_pin(self) -> None:
        await self.do("SetPaymentPin", pin=PIN)

    async def add_password(self) -> None:
        await self.do("SetPassword", password=PASSWORD)

    async def add_totp(self) -> None:
        self.seed = (await self.do("StartTotp")).seed
        await self.do("ConfirmTotp", code=self.totp(0))

    async def add_passkey(self) -> None:
        options = (await self.do("StartPasskey")).options_json
        await self.do("ConfirmPasskey", credential_json=self.passkeys.create(options))

    async def add_codes(self) -> None:
        self.codes = list((await self.do("CreateBackupCodes")).codes)

    def totp(self, steps: int) -> str:
        now_s = self.bank.parts.clock.now_us() // 1_000_000
        return pyotp.TOTP(self.seed).at(now_s + 30 * steps)

    async def begin(self) -> tuple[Device, dict[str, Any]]:
        """A new device that has the right code, and what it signs in with."""
        later(self.bank, MINUTE)
        device = Device()
        return device, await login(self.bank, self.who, device=device)


# -- What lets it in.


@pytest.mark.parametrize(
    ("factors", "methods", "right", "wrong", "not_taken"),
    [
        (
            ("pin",),
            "PAYMENT_PIN",
            {"payment_pin": PIN},
            {"payment_pin": WRONG_PIN},
            {"password": PASSWORD},
        ),
        (
            ("pin", "password", "codes"),
            "PASSWORD,BACKUP_CODES",
            {"password": PASSWORD},
            {"password": PASSWORD + "r"},
            {"payment_pin": PIN},
        ),
    ],
    ids=["pin", "password"],
)
async def test_a_code_by_phone_is_not_enough_where_there_is_a_factor(
    bank: SmallBank,
    factors: tuple[str, ...],
    methods: str,
    right: dict[str, str],
    wrong: dict[str, str],
    not_taken: dict[str, str],
) -> None:
    owner = await Owner.new(bank, *factors)
    device, fields = await owner.begin()
    refused = await refusal(bank.do(COMPLETE, "", **fields))
    assert (refused.reason, refused.metadata["methods"]) == ("FACTOR_REQUIRED", methods)
    assert refused.metadata["passkey_options_json"] == ""
    refused = await refusal(bank.do(COMPLETE, "", **fields, proof=wrong))
    assert (refused.reason, refused.code.name) == ("FACTOR_REJECTED", "PERMISSION_DENIED")
    refused = await refusal(bank.do(COMPLETE, "", **fields, proof=not_taken))
    assert (refused.reason, refused.metadata) == ("METHOD_NOT_ACCEPTED", {"methods": methods})
    devices = await bank.signed("DevicesService/ListDevices", owner.who)
    assert len(devices.devices) == 1, "nothing was enrolled by all that"
    new = signed_in(device, owner.who.phone, await bank.do(COMPLETE, "", **fields, proof=right))
    assert new.customer == owner.who.customer
    assert new.reply.device.cooling
    assert device.name in bank.last_message(owner.who.phone)


@contextmanager
def judged(bank: SmallBank, outcome: Outcome) -> Iterator[None]:
    """Let new devices be judged by one rule for a while."""
    before = bank.parts.risk.snapshot(BOOK)
    bank.parts.risk.use(BOOK, Loaded(DeviceRules(outcome)))
    try:
        yield
    finally:
        bank.parts.risk.use(BOOK, Loaded(before.rules, before.card, before.lists))


async def decided(bank: SmallBank, owner: Owner) -> Any:
    """What was decided about the owner last, as the bank sees it."""
    found = await bank.do("RiskService/ListDecisions", customer_id=owner.who.customer)
    return found.decisions[0]


@pytest.mark.parametrize(
    ("outcome", "came", "lets_in"),
    [
        (Outcome(OutcomeKind.ALLOW_WITH_NOTICE), "ALLOW_WITH_NOTICE", True),
        (Outcome(OutcomeKind.STEP_UP, 1), "STEP_UP", True),
        (Outcome(OutcomeKind.STEP_UP, 2), "DECLINE", False),
        (Outcome(OutcomeKind.REVIEW), "DECLINE", False),
        (Outcome(OutcomeKind.DECLINE), "DECLINE", False),
        (Outcome(OutcomeKind.FREEZE, FreezeScope.ONLY_OUT), "FREEZE", False),
    ],
    ids=["notice", "one factor", "two factors", "review", "decline", "freeze"],
)
async def test_a_new_device_is_judged_before_it_is_let_in(
    bank: SmallBank,
    outcome: Outcome,
    came: str,
    lets_in: bool,  # noqa: FBT001 - a table's column
) -> None:
    owner = await Owner.new(bank, "pin")
    device, fields = await owner.begin()
    with judged(bank, outcome):
        asked = bank.do(COMPLETE, "", **fields, proof={"payment_pin": PIN})
        if lets_in:
            signed_in(device, owner.who.phone, await asked)
        else:
            refused = await refusal(asked)
            assert refused.reason == "RISK_REJECTED"
            assert refused.metadata["reason_code"] == "NEW_DEVICE_CAUTION"
    one = await decided(bank, owner)
    assert outcome_pb2.OutcomeKind.Name(one.outcome.kind) == f"OUTCOME_KIND_{came}"
    assert (one.kind, one.transaction_id) == ("NEW_DEVICE", "")
    assert one.customer_id == owner.who.customer
    devices = await bank.signed("DevicesService/ListDevices", owner.who)
    assert len(devices.devices) == 1 + lets_in
    freezes = await bank.do("RiskService/ListFreezes", customer_id=owner.who.customer)
    assert bool(freezes.freezes) == (came == "FREEZE")
    if not lets_in:  # the owner objects, and signs in once the rule is gone
        await bank.signed(
            "CasesService/AppealDecision", owner.who, decision_id=one.decision_id, claim=1
        )
        await bank.do(COMPLETE, "", **fields, proof={"payment_pin": PIN})


async def test_pairing_takes_what_risk_wants(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin", "totp")
    start = "DevicesService/StartDeviceEnrolment"
    with judged(bank, Outcome(OutcomeKind.STEP_UP, 2)):
        refused = await refusal(bank.signed(start, owner.who))
        assert refused.reason == "NEEDS_AUTH"
        shown = await bank.signed(
            "ChallengesService/GetChallenge",
            owner.who,
            challenge_id=refused.metadata["challenge_id"],
        )
        assert shown.challenge.factors_needed == 2, "the policy wants one"
    with judged(bank, Outcome(OutcomeKind.DECLINE)):
        assert (await refusal(bank.signed(start, owner.who))).reason == "RISK_REJECTED"
    assert (await decided(bank, owner)).kind == "NEW_DEVICE"
    method = BY_NAME["AdminService/VerifyLedger"]
    answer = await bank.call(method, method.request_class(), SERVICE)
    reports = [VerifyLedgerResponse.FromString(one) for one in answer.messages]
    assert not [one.finding for one in reports if one.HasField("finding")]


async def test_a_backup_code_stands_in_for_a_password_once(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin", "password", "codes")
    proof = {"backup_code": owner.codes[0]}
    _, fields = await owner.begin()
    await bank.do(COMPLETE, "", **fields, proof=proof)
    _, fields = await owner.begin()
    assert (await refusal(bank.do(COMPLETE, "", **fields, proof=proof))).reason == "FACTOR_REJECTED"


async def test_an_app_signs_in_where_there_is_no_password(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "totp")
    _, fields = await owner.begin()
    code = owner.totp(1)
    await bank.do(COMPLETE, "", **fields, proof={"totp_code": code})
    _, fields = await owner.begin()
    again = bank.do(COMPLETE, "", **fields, proof={"totp_code": code})
    assert (await refusal(again)).reason == "FACTOR_REJECTED", "a code is good once"


async def test_a_passkey_signs_this_sign_in_and_no_other(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "passkey")
    _, first = await owner.begin()
    needed = await refusal(bank.do(COMPLETE, "", **first))
    assert needed.metadata["methods"] == "PASSKEY"
    signed = owner.passkeys.get(needed.metadata["passkey_options_json"])
    proof = {"passkey_assertion_json": signed}
    _, second = await owner.begin()
    elsewhere = await refusal(bank.do(COMPLETE, "", **second, proof=proof))
    assert elsewhere.reason == "FACTOR_REJECTED"
    _, third = await owner.begin()
    needed = await refusal(bank.do(COMPLETE, "", **third))
    signed = owner.passkeys.get(needed.metadata["passkey_options_json"])
    await bank.do(COMPLETE, "", **third, proof={"passkey_assertion_json": signed})


async def test_whoever_has_not_the_code_can_neither_guess_nor_block(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin")
    _, fields = await owner.begin()
    wrong_code = f"{(int(fields['code']) + 1) % 1_000_000:06}"
    for _ in range(5):
        guess = bank.do(
            COMPLETE, "", **{**fields, "code": wrong_code}, proof={"payment_pin": WRONG_PIN}
        )
        assert (await refusal(guess)).reason == "VERIFICATION_CODE_INVALID"
    customer = CUSTOMER.decode(owner.who.customer).hex()
    tries = "select count(*) from factor_attempt where customer_id = %s"
    assert bank._database.execute(tries, (customer,)).fetchone() == (0,)
    _, fields = await owner.begin()
    await bank.do(COMPLETE, "", **fields, proof={"payment_pin": PIN})


async def test_wrong_tries_at_the_door_block_there_and_not_on_the_owners_device(
    bank: SmallBank,
) -> None:
    owner = await Owner.new(bank, "pin")
    _, fields = await owner.begin()
    for pin in (WRONG_PIN, WRONG_PIN, WRONG_PIN, PIN):
        refused = await refusal(bank.do(COMPLETE, "", **fields, proof={"payment_pin": pin}))
        assert refused.reason == "FACTOR_REJECTED"
    (pin_factor,) = (await bank.signed("FactorsService/ListFactors", owner.who)).factors
    assert not pin_factor.HasField("blocked_until")
    await owner.do("SetPaymentPin", pin=PIN)
    later(bank, MINUTE)
    _, fields = await owner.begin()
    await bank.do(COMPLETE, "", **fields, proof={"payment_pin": PIN})


async def test_the_same_sign_in_sent_again_counts_no_further_try(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin")
    _, fields = await owner.begin()
    fields |= {"proof": {"payment_pin": WRONG_PIN}, "request_id": bank.new_request_id()}
    for _ in range(6):
        assert (await refusal(bank.do(COMPLETE, "", **fields))).reason == "FACTOR_REJECTED"
    fields |= {"proof": {"payment_pin": PIN}, "request_id": bank.new_request_id()}
    await bank.do(COMPLETE, "", **fields)


# -- What it may do at first.


async def send(bank: SmallBank, who: SignedIn, amount: int) -> Any:
    return await approved(
        bank,
        who,
        "TransfersService/CreateTransfer",
        from_account_id=who.account,
        payee={"account_id": bank.payee.account},
        amount=cash(amount),
    )


async def test_a_new_device_sends_little_until_it_has_cooled(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin")
    who = owner.who
    await bank.do(
        "TransfersService/TopUp",
        account_id=who.account,
        amount=cash(10 * CAP),
        bank_account="6222021234567890",
    )
    device, fields = await owner.begin()
    proof = {"payment_pin": PIN}
    new = signed_in(device, who.phone, await bank.do(COMPLETE, "", **fields, proof=proof))
    new.account = who.account
    await send(bank, new, CAP - 1)
    refused = await refusal(send(bank, new, 2))
    assert refused.reason == "DEVICE_COOLING"
    assert refused.metadata == {
        "currency_code": "CNY",
        "left_minor_units": "1",
        "cooling_until": str(new.reply.device.cooling_until.ToMicroseconds()),
    }
    await send(bank, new, 1)
    assert (await refusal(send(bank, new, 1))).reason == "DEVICE_COOLING"
    withdrawal = approved(
        bank,
        new,
        "TransfersService/Withdraw",
        account_id=who.account,
        amount=cash(1),
        bank_account="6222021234567890",
    )
    assert (await refusal(withdrawal)).reason == "DEVICE_COOLING"
    who = await sign_in(bank, who, device=who.device)
    who.account = new.account
    await send(bank, who, CAP + 1)
    later(bank, DAY)
    new = await sign_in(bank, new, device=device)
    new.account = who.account
    await send(bank, new, CAP + 1)


async def test_a_refused_payment_uses_nothing_up(bank: SmallBank) -> None:
    owner = await Owner.new(bank, "pin")
    device, fields = await owner.begin()
    reply = await bank.do(COMPLETE, "", **fields, proof={"payment_pin": PIN})
    new = signed_in(device, owner.who.phone, reply)
    new.account = owner.who.account
    assert (await refusal(send(bank, new, CAP))).reason == "INSUFFICIENT_FUNDS"
    await bank.do(
        "TransfersService/TopUp",
        account_id=new.account,
        amount=cash(CAP),
        bank_account="6222021234567890",
    )
    await send(bank, new, CAP)


# -- What the owner is told.


async def test_a_sign_in_of_a_known_device_is_told_once_a_day(bank: SmallBank) -> None:
    who = await register(bank)

    def sign_ins() -> int:
        found = bank._database.execute(
            "select count(*) from message_outbox where kind = 'sign_in_notice'"
        ).fetchone()
        assert found is not None
        return int(found[0])

    before = sign_ins()
    for seconds, told_in_all in ((1, 0), (DAY, 1), (1, 1), (DAY, 2)):
        later(bank, seconds)
        await sign_in(bank, who, device=who.device)
        assert sign_ins() - before == told_in_all
    assert who.device.name in bank.last_message(who.phone)
