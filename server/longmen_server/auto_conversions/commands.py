"""The command that lets payments exchange what they lack, or no longer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen_server.auto_conversions import encode
from longmen_server.auto_conversions.model import AutoRow, Source, Wanted, sources_text
from longmen_server.auto_conversions.tables import AUTO
from longmen_server.challenges.model import Intent, Operation
from longmen_server.conversions.pricing import wallet_pair
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_ACCOUNT, STAGE_LINK
from longmen_server.fxrates.commands import version_now
from longmen_server.fxrates.model import check_pair
from longmen_server.ledger.commands import account_not_found
from longmen_server.ledger.tables import ACCOUNT
from longmen_server.platform.ids import ACCOUNT as ACCOUNT_TEXT
from longmen_server.platform.money import Money
from longmen_server.platform.refusal import Refusal
from longmen_server.transfers.commands import find_wallet_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import Actor
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.ledger.model import AccountRow
    from longmen_server.platform.ids import AccountId

__all__ = ["SetAutoConversion"]


class SetAutoConversion(Command):
    """Set what a customer agrees to for one pocket."""

    __slots__ = (
        "account_id",
        "actor",
        "basis_points_max",
        "day_max",
        "enabled",
        "gate",
        "payment_max",
        "source_ids",
    )

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        account_id: AccountId,
        enabled: bool,
        source_ids: Sequence[AccountId],
        payment_max: tuple[int, str],
        day_max: tuple[int, str],
        basis_points_max: int,
        actor: Actor,
        gate: Gate | None,
    ) -> None:
        super().__init__(book, request)
        self.account_id = account_id
        self.enabled = enabled
        self.source_ids = tuple(source_ids)
        self.payment_max = payment_max
        """Minor units and currency, which is the pocket's; empty where nothing is on."""
        self.day_max = day_max
        self.basis_points_max = basis_points_max
        self.actor = actor
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what was agreed to before, and the pockets."""
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)
        if stage == STAGE_LINK:
            yield RowKey(AUTO, Wanted(self.account_id))
        elif stage == STAGE_ACCOUNT:
            for account_id in (self.account_id, *self.source_ids):
                yield RowKey(ACCOUNT, account_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Set it once it is approved; turning it off needs no approval."""
        account = working_set.get(ACCOUNT, self.account_id)
        if account is None:
            raise account_not_found(self.account_id)
        account = find_wallet_account(
            working_set, self.account_id, account.currency_code, self.actor
        )
        if account.owner_id is None:
            raise account_not_found(self.account_id)
        sources = self._sources(working_set, account)
        if self.enabled:
            self._check_currencies(account)
            if self.gate is not None:
                self.gate.demand(working_set, self._intent(account))
        row = self._row(working_set, account)
        row.enabled = self.enabled
        if self.enabled:
            row.sources = sources_text(sources)
            row.payment_max, row.day_max = self.payment_max[0], self.day_max[0]
            row.basis_points_max = self.basis_points_max
        row.changed_at_us = working_set.next_stamp()
        return pb.SetAutoConversionResponse(
            auto_conversion=encode.auto_conversion(row, working_set.now_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)

    def _sources(self, working_set: WorkingSet, account: AccountRow) -> list[Source]:
        """Return the pockets to exchange from, which are the same customer's.

        Raises:
            Refusal: ACCOUNT_NOT_FOUND, FX_SAME_CURRENCY, FX_CURRENCY_NOT_TRADABLE.
        """
        tradable = version_now(working_set).tradable
        found = []
        for source_id in self.source_ids:
            pocket, _ = wallet_pair(working_set, source_id, account.account_id, self.actor)
            check_pair(pocket.currency_code, account.currency_code, tradable)
            found.append(Source(source_id, pocket.currency_code))
        return found

    def _check_currencies(self, account: AccountRow) -> None:
        """Refuse caps in another currency than the pocket's.

        Raises:
            Refusal: CURRENCY_MISMATCH.
        """
        for field, (_, code) in (("payment_max", self.payment_max), ("day_max", self.day_max)):
            if code != account.currency_code:
                raise Refusal(
                    "CURRENCY_MISMATCH",
                    "caps are in the currency of the pocket",
                    metadata={"expected": account.currency_code, "actual": code},
                    field=f"{field}.currency_code",
                )

    def _row(self, working_set: WorkingSet, account: AccountRow) -> AutoRow:
        """Return what was agreed to, to be changed; begun if nothing was."""
        assert account.owner_id is not None, "checked before"
        account_id = account.account_id
        if working_set.get(AUTO, account_id) is None:
            row = AutoRow(
                account_id=account_id,
                customer_id=account.owner_id,
                enabled=False,
                basis_points_max=0,
                payment_max=0,
                day_max=0,
                day=0,
                day_used=0,
                created_at_us=working_set.now_us,
                changed_at_us=0,
                currency_code=account.currency_code,
                sources="",
            )
            working_set.insert(AUTO, account_id, row)
        return working_set.edit(AUTO, account_id)

    def _intent(self, account: AccountRow) -> Intent:
        """Return what is agreed to: the text an approval is bound to."""
        code = account.currency_code
        day = Money(self.day_max[0], code)
        sources = ", ".join(ACCOUNT_TEXT.encode(source_id) for source_id in self.source_ids)
        return Intent(
            operation=Operation.CONVERSION,
            text=(
                f"Let payments from {ACCOUNT_TEXT.encode(self.account_id)} exchange what they lack"
                f" from {sources}: up to {Money(self.payment_max[0], code)} each and {day} a day,"
                f" for {self.basis_points_max} basis points at most."
            ),
            amount=day.minor_units,
            currency_code=code,
            payee=ACCOUNT_TEXT.encode(self.account_id),
        )
