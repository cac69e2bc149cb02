"""A customer's phone that shows payer codes, and tills that scan them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_server.payments.codes import payer_code

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank


class Phone:
    """One enrolled device."""

    def __init__(self, bank: SmallBank, token: str, enrolled: Any) -> None:
        self.bank = bank
        self.token = token
        self.secret: bytes = enrolled.secret
        self.handle: int = enrolled.payer_code.handle
        self._shown = -1

    @classmethod
    async def of(
        cls, bank: SmallBank, person: Person, *, token: str = "", account: str = ""
    ) -> Phone:
        """Enrol the device of a customer's token; without one, of a token without a session."""
        token = token or bank.token("customer", person)
        enrolled = await bank.do(
            "PayerCodesService/EnrolPayerCode", token, account_id=account or person.account
        )
        return cls(bank, token, enrolled)

    def code(self, *, minutes: int = 0, sequence: int | None = None) -> str:
        """The next code it shows, by a clock that is off by so many minutes."""
        if sequence is None:
            self._shown += 1
            sequence = self._shown % payer_code.SEQUENCES
        step = payer_code.step_at(self.bank.parts.clock.now_us()) + minutes
        return payer_code.make(self.secret, handle=self.handle, step=step, sequence=sequence)

    async def do(self, name: str, **fields: Any) -> Any:
        return await self.bank.do(f"PayerCodesService/{name}", self.token, **fields)
