"""A till that sells without a network: it stores what it signs, and forwards it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.identity.v1 import identity_pb2
from longmen.payments.v1 import offline_pb2
from longmen_server.ledger.encode import timestamp
from longmen_server.offline.encode import stored_sale
from longmen_server.offline.policy import policy_at
from longmen_server.platform.ids import TERMINAL, TERMINAL_KEY
from tests.support.phone import Phone
from tests.support.small_bank import SERVICE, cash

if TYPE_CHECKING:
    from tests.support.small_bank import Person, SmallBank

DAY = "2026-01-02"
TILL_KEY = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)


class OfflineTill:
    """One till with its key."""

    def __init__(self, bank: SmallBank, terminal_id: str, key: Ed25519PrivateKey) -> None:
        self.bank = bank
        self.terminal_id = terminal_id
        self.key_id = ""
        self.terms: Any = None
        self._key = key
        self._sequence = 0

    @classmethod
    async def of(cls, bank: SmallBank, terminal_id: str) -> OfflineTill:
        """Register a key of a till."""
        till = cls(bank, terminal_id, TILL_KEY)
        await enable(bank, terminal_id)
        made = await bank.do("OfflineService/RegisterTerminalKey", **till.registration())
        till.key_id, till.terms = made.key.key_id, made.terms
        return till

    def registration(self) -> dict[str, Any]:
        return {
            "terminal_id": self.terminal_id,
            "algorithm": identity_pb2.KEY_ALGORITHM_ED25519,
            "public_key": self._key.public_key().public_bytes_raw(),
        }

    def skip(self, sequence: int) -> None:
        """Go on after a sequence."""
        self._sequence = sequence

    def sale(
        self,
        code: str,
        amount: int = 300,
        *,
        ago_s: float = 0,
        currency: str = "CNY",
        **changes: Any,
    ) -> Any:
        """The next sale, stored and signed so many seconds ago."""
        self._sequence += 1
        at_us = self.bank.parts.clock.now_us() - int(ago_s * 1_000_000)
        fields: dict[str, Any] = {
            "sequence": self._sequence,
            "order_number": self.bank.new_request_id(),
            "amount": cash(amount, currency),
            "code": code,
            "trace_number": 100 + self._sequence,
            "business_date": DAY,
            "accept_time": timestamp(at_us),
            "description": "tea",
            **changes,
        }
        return self.signed(offline_pb2.OfflineSale(**fields))

    def signed(self, sale: Any) -> Any:
        """A sale with the signature of its present content."""
        terminal_id = TERMINAL.decode(self.terminal_id)
        stored = stored_sale(sale, terminal_id, TERMINAL_KEY.decode(self.key_id))
        sale.signature = self._key.sign(stored.text)
        return sale

    def forwarding(self, *sales: Any) -> dict[str, Any]:
        return {"terminal_id": self.terminal_id, "key_id": self.key_id, "sales": sales}

    async def forward(self, *sales: Any, token: str = SERVICE) -> list[Any]:
        reply = await self.bank.do(
            "OfflineService/ForwardOffline", token, **self.forwarding(*sales)
        )
        return list(reply.results)


async def enable(bank: SmallBank, terminal_id: str) -> None:
    """Let the till's merchant sell without a network, the bank bearing as much as it may."""
    found = await bank.do("MerchantsService/GetTerminal", terminal_id=terminal_id)
    mine = {"merchant_id": found.terminal.merchant_id}
    known = await bank.do("OfflineService/GetOfflineAcceptance", **mine)
    if known.acceptance.enabled:
        return
    currency_code = (await bank.do("MerchantsService/GetMerchant", **mine)).merchant.currency_code
    most = policy_at(bank.parts.clock.now_us()).covered_merchant_day_minor_units
    await bank.do(
        "OfflineService/SetOfflineAcceptance",
        **mine,
        enabled=True,
        loss_bearer=offline_pb2.LOSS_BEARER_BANK,
        day_budget=cash(most[currency_code], currency_code),
    )


async def stored_by(bank: SmallBank, payer: Person, terminal_id: str) -> dict[str, Any]:
    """What a till forwards that has scanned the payer's code: one sale."""
    till = await OfflineTill.of(bank, terminal_id)
    phone = await Phone.of(bank, payer)
    return till.forwarding(till.sale(phone.code()))
