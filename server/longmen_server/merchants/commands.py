"""The commands of merchants: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.merchants.v1 import merchants_service_pb2 as pb
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.ledger.chart import CHART, MERCHANT_PAYABLES
from longmen_server.ledger.commands import open_account
from longmen_server.ledger.model import AccountRow, AccountState
from longmen_server.merchants import encode
from longmen_server.merchants.model import (
    MerchantRow,
    TerminalRow,
    TerminalStateRow,
    merchant_not_found,
    terminal_not_found,
)
from longmen_server.merchants.tables import MERCHANT, TERMINAL, TERMINAL_STATE
from longmen_server.stores.model import check_one_store, store_unregistered
from longmen_server.stores.placing import find_open_store, place_till
from longmen_server.stores.tables import ANY_STORE, STORE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.merchants.model import MerchantActor
    from longmen_server.platform.ids import AccountId, MerchantId, StoreId, TerminalId

_MERCHANT_OPENED = event_pb2.EVENT_TYPE_MERCHANT_OPENED


def see_terminal(working_set: WorkingSet, terminal_id: TerminalId) -> TerminalStateRow:
    """Note that a till is alive; return its state to change."""
    if working_set.get(TERMINAL_STATE, terminal_id) is None:
        fresh = TerminalStateRow(terminal_id, working_set.now_us, "", None)
        working_set.insert(TERMINAL_STATE, terminal_id, fresh)
    row = working_set.edit(TERMINAL_STATE, terminal_id)
    row.seen_at_us = working_set.now_us
    return row


class CreateMerchant(Command):
    """Take a merchant in and open the account of what the bank owes it."""

    __slots__ = ("account_id", "asked", "merchant_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        account_id: AccountId,
        asked: pb.CreateMerchantRequest,
    ) -> None:
        super().__init__(book, request)
        self.merchant_id = merchant_id
        self.account_id = account_id
        self.asked = asked

    def decide(self, working_set: WorkingSet) -> bytes:
        """Write the merchant down; nothing about one has to be unique."""
        asked = self.asked
        line = CHART[MERCHANT_PAYABLES]
        account = open_account(
            working_set,
            AccountRow(
                account_id=self.account_id,
                currency_code=asked.currency_code,
                account_type=line.account_type,
                chart_code=line.code,
                state=AccountState.OPEN,
                debits_posted=0,
                credits_posted=0,
                debits_pending=0,
                credits_pending=0,
                # Refunds may go below zero, as far as the merchant's plan lets them.
                floor_minor_units=None,
                ceiling_minor_units=None,
                version=0,
                booked_at_us=0,
                created_at_us=0,
                owner_id=None,
                description=line.name,
            ),
        )
        row = MerchantRow(
            merchant_id=self.merchant_id,
            name=asked.name,
            local_name=asked.local_name,
            local_language=asked.local_language,
            city=asked.city,
            country_code=asked.country_code,
            category_code=asked.category_code,
            currency_code=asked.currency_code,
            account_id=account.account_id,
            created_at_us=working_set.next_stamp(),
        )
        working_set.insert(MERCHANT, row.merchant_id, row)
        merchant = encode.merchant(row)
        payload = merchant.SerializeToString(deterministic=True)
        working_set.emit(
            Event(_MERCHANT_OPENED, row.merchant_id, 0, row.created_at_us, payload, payload)
        )
        return pb.CreateMerchantResponse(
            merchant=merchant, committed_at=working_set.committed_at
        ).SerializeToString()


class CreateTerminal(Command):
    """Register a till."""

    __slots__ = ("label", "merchant_id", "store_id", "store_label", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        merchant_id: MerchantId,
        terminal_id: TerminalId,
        label: str,
        store_label: str,
        store_id: StoreId | None = None,
    ) -> None:
        super().__init__(book, request)
        self.merchant_id = merchant_id
        self.terminal_id = terminal_id
        self.label = label
        self.store_label = store_label
        self.store_id = store_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the merchant, and its store."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(MERCHANT, self.merchant_id)
            if self.store_id is not None:
                yield RowKey(STORE, self.store_id)
            elif self.store_label:
                yield RowKey(ANY_STORE, self.merchant_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Register it unless there is no such merchant, or store."""
        if working_set.get(MERCHANT, self.merchant_id) is None:
            raise merchant_not_found(self.merchant_id)
        check_one_store(self.store_id, self.store_label)
        if self.store_id is not None:
            find_open_store(working_set, self.store_id, self.merchant_id)
        elif self.store_label and working_set.get(ANY_STORE, self.merchant_id) is not None:
            raise store_unregistered(self.merchant_id)
        row = TerminalRow(
            terminal_id=self.terminal_id,
            merchant_id=self.merchant_id,
            label=self.label,
            store_label=self.store_label,
            created_at_us=working_set.next_stamp(),
        )
        working_set.insert(TERMINAL, row.terminal_id, row)
        state = None
        if self.store_id is not None:
            state = place_till(working_set, row.terminal_id, self.store_id)
        return pb.CreateTerminalResponse(
            terminal=encode.terminal(row, state), committed_at=working_set.committed_at
        ).SerializeToString()


class ReportTerminal(Command):
    """Note a till's sign of life."""

    __slots__ = ("actor", "software_version", "terminal_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        terminal_id: TerminalId,
        software_version: str,
        actor: MerchantActor,
    ) -> None:
        super().__init__(book, request)
        self.terminal_id = terminal_id
        self.software_version = software_version
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the till."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(TERMINAL, self.terminal_id)
            yield RowKey(TERMINAL_STATE, self.terminal_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Note it unless there is no such till."""
        terminal = working_set.get(TERMINAL, self.terminal_id)
        if terminal is None or not self.actor.may_use(terminal.merchant_id):
            raise terminal_not_found(self.terminal_id)
        state = see_terminal(working_set, self.terminal_id)
        state.software_version = self.software_version
        working_set.next_stamp()
        return pb.ReportTerminalResponse(
            terminal=encode.terminal(terminal, state), committed_at=working_set.committed_at
        ).SerializeToString()
