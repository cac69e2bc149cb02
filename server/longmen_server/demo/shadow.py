"""A second set of books, kept from the server's replies alone.

It is the judge of the evening: the server's balances must be what the replies of the day add up to,
to the last fen, whatever was retried, replayed, refused or raced.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen.ledger.v1 import account_pb2
    from longmen_client import Money


@dataclass
class Shadow:
    """What every wallet must have, in minor units by account id."""

    posted: Counter[str] = field(default_factory=Counter)
    """What is booked."""
    held: Counter[str] = field(default_factory=Counter)
    """What is held on the payer's side."""
    undecided: set[str] = field(default_factory=set)
    """Accounts with money under way to an outside bank: held or paid out, nobody knows yet."""

    def credit(self, account_id: str, amount: Money) -> None:
        """Money came in from outside the wallets."""
        self.posted[account_id] += amount.minor_units

    def move(self, payer: str, payee: str, amount: Money) -> None:
        """Money went from one wallet to another."""
        self.posted[payer] -= amount.minor_units
        self.posted[payee] += amount.minor_units

    def hold(self, payer: str, amount: Money) -> None:
        """Money was set aside."""
        self.held[payer] += amount.minor_units

    def free(self, payer: str, amount: Money) -> None:
        """Money set aside is available again."""
        self.held[payer] -= amount.minor_units

    def capture(self, payer: str, payee: str, amount: Money) -> None:
        """Money set aside went to the payee."""
        self.free(payer, amount)
        self.move(payer, payee, amount)

    def pay_out(self, account_id: str, amount: Money) -> None:
        """Money set aside left the wallets."""
        self.free(account_id, amount)
        self.posted[account_id] -= amount.minor_units

    def mismatches(
        self, account_ids: Sequence[str], balances: Iterable[account_pb2.Balances]
    ) -> list[str]:
        """Where the server's books differ from these, for people."""
        found = []
        for account_id, actual in zip(account_ids, balances, strict=True):
            posted, held = self.posted[account_id], self.held[account_id]
            expected: tuple[int, ...] = (posted, posted - held)
            seen: tuple[int, ...] = (actual.posted, actual.available)
            if account_id in self.undecided:
                expected, seen = expected[1:], seen[1:]
            if expected != seen:
                found.append(
                    f"{account_id}: the replies add up to {expected} minor units, "
                    f"the books say {seen}"
                )
        return found
