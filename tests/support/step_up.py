"""A customer with a session on a bound device, who sets factors up, pays and approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyotp

from longmen_app.authenticator import SoftwareAuthenticator
from tests.support.small_bank import BY_NAME, Person, SmallBank, cash

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.support.edge import Told

PIN = "835207"
WRONG_PIN = "835208"
SMALL, MEDIUM, LARGE = 20_000, 20_001, 500_001
"""Amounts in CNY by the bands of the policy."""
FUNDS = 2_000_000


class Payer:
    """One customer on one device."""

    def __init__(self, bank: SmallBank, person: Person, device: int = 1) -> None:
        self.bank = bank
        self.person = person
        self.token = bank.session_token(person, device)
        self.device = SoftwareAuthenticator()
        self.seed = ""

    @classmethod
    async def new(cls, bank: SmallBank, *, pin: bool = True, funds: int = FUNDS) -> Payer:
        """A customer with money, and with a payment PIN if asked for."""
        person = await bank.person()
        await bank.do(
            "TransfersService/TopUp",
            account_id=person.account,
            amount=cash(funds),
            bank_account="6222021234567890",
        )
        payer = cls(bank, person)
        if pin:
            await payer.do("FactorsService/SetPaymentPin", pin=PIN)
        return payer

    def on_device(self, device: int) -> Payer:
        """The same customer on another device."""
        return Payer(self.bank, self.person, device)

    # -- calls ---------------------------------------------------------------------------------

    def request(self, name: str, **fields: Any) -> Message:
        method = BY_NAME[name]
        request = method.request_class(**fields)
        if method.repeatable:
            setattr(request, "request_id", self.bank.new_request_id())  # noqa: B010
        return request

    async def send(self, name: str, request: Message) -> Any:
        """The reply to a request as it is."""
        return await self.bank.ask(BY_NAME[name], request, self.token)

    async def told(self, name: str, request: Message) -> Told:
        """What the refusal of a request told."""
        return await self.bank.refused(BY_NAME[name], request, self.token)

    async def do(self, name: str, **fields: Any) -> Any:
        return await self.send(name, self.request(name, **fields))

    async def refused(self, name: str, **fields: Any) -> Told:
        return await self.told(name, self.request(name, **fields))

    # -- paying --------------------------------------------------------------------------------

    def payment(self, amount: int = MEDIUM, **changes: Any) -> Any:
        """A payment to the standing payee."""
        fields: dict[str, Any] = {
            "from_account_id": self.person.account,
            "payee": {"account_id": self.bank.payee.account},
            "amount": cash(amount),
            "description": "lunch",
            **changes,
        }
        return self.request("TransfersService/CreateTransfer", **fields)

    async def pay(self, payment: Any) -> Any:
        return await self.send("TransfersService/CreateTransfer", payment)

    async def pay_refused(self, payment: Any) -> Told:
        return await self.told("TransfersService/CreateTransfer", payment)

    async def challenged(self, payment: Any) -> str:
        """The id of the challenge that a payment is refused with."""
        told = await self.pay_refused(payment)
        assert told.reason == "NEEDS_AUTH", told
        return told.metadata["challenge_id"]

    async def balance(self) -> int:
        reply = await self.bank.do("AccountsService/GetBalance", account_id=self.person.account)
        return int(reply.balance.available.minor_units)

    # -- approving -----------------------------------------------------------------------------

    def approval(self, challenge_id: str, **proof: Any) -> Any:
        return self.request(
            "ChallengesService/ApproveChallenge",
            challenge_id=challenge_id,
            proof=proof or {"payment_pin": PIN},
        )

    async def approve(self, challenge_id: str, **proof: Any) -> Any:
        """The challenge after approving with a proof, the right PIN unless another is given."""
        reply = await self.send(
            "ChallengesService/ApproveChallenge", self.approval(challenge_id, **proof)
        )
        return reply.challenge

    async def approve_refused(self, challenge_id: str, **proof: Any) -> Told:
        return await self.told(
            "ChallengesService/ApproveChallenge", self.approval(challenge_id, **proof)
        )

    async def challenge(self, challenge_id: str) -> Any:
        reply = await self.do("ChallengesService/GetChallenge", challenge_id=challenge_id)
        return reply.challenge

    async def approved(self, name: str, **fields: Any) -> Any:
        """The reply of a call that is approved by PIN when that is asked for."""
        request = self.request(name, **fields)
        told = await self.told(name, request)
        assert told.reason == "NEEDS_AUTH", told
        await self.approve(told.metadata["challenge_id"])
        return await self.send(name, request)

    # -- factors -------------------------------------------------------------------------------

    def code(self, steps: int = 0) -> str:
        """What the authenticator app shows, some steps from now."""
        now_s = self.bank.parts.clock.now_us() // 1_000_000
        return pyotp.TOTP(self.seed).at(now_s + 30 * steps)

    async def add_totp(self) -> None:
        """Set an authenticator app up; its present code is used up by that."""
        self.seed = (await self.approved("FactorsService/StartTotp")).seed
        await self.do("FactorsService/ConfirmTotp", code=self.code())

    async def add_passkey(self) -> Any:
        """Register a passkey of the device."""
        started = await self.approved("FactorsService/StartPasskey")
        credential = self.device.create(started.options_json)
        reply = await self.do("FactorsService/ConfirmPasskey", credential_json=credential)
        return reply.factor

    async def signed(self, challenge_id: str) -> str:
        """A challenge signed by the device's passkey."""
        challenge = await self.challenge(challenge_id)
        return self.device.get(challenge.passkey_options_json)

    async def factors(self) -> list[Any]:
        return list((await self.do("FactorsService/ListFactors")).factors)


def later(bank: SmallBank, seconds: float) -> None:
    """Move the bank's clock on."""
    clock: Any = bank.parts.clock
    clock.set_us(clock.now_us() + int(seconds * 1_000_000))
