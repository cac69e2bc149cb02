"""The commands of profiles: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import profile_service_pb2 as pb
from longmen_server.accounts.model import (
    AliasKey,
    AliasKind,
    WalletRow,
    customer_erased,
    wallet_not_found,
)
from longmen_server.accounts.tables import ALIAS, CUSTOMER_KEY, CUSTOMER_POCKETS, POCKET, WALLET
from longmen_server.billers import tables as billers
from longmen_server.challenges import tables as challenges
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.factors import tables as factors
from longmen_server.identity import tables as identity
from longmen_server.identity.model import EndCause, ErasedOwner
from longmen_server.identity.steps import end_sessions, open_session_keys
from longmen_server.kyc import standing as kyc
from longmen_server.ledger.encode import timestamp
from longmen_server.limits import commands as limits
from longmen_server.messages import tables as messages
from longmen_server.messages.model import ErasedRecipient
from longmen_server.payer_codes import tables as payer_codes
from longmen_server.platform.ids import CUSTOMER, CustomerId
from longmen_server.platform.refusal import Refusal
from longmen_server.recovery import tables as recovery
from longmen_server.risk import tables as risk
from longmen_server.riskcases import tables as riskcases
from longmen_server.screening import tables as screening
from longmen_server.screening.model import identification_held
from longmen_server.screening.recording import hold_keys, is_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow

_PROFILE_CHANGED = event_pb2.EVENT_TYPE_PROFILE_CHANGED
_CUSTOMER_ERASED = event_pb2.EVENT_TYPE_CUSTOMER_ERASED
NOTHING = b""


class ProfileCommand(Command):
    """A command about one customer's personal data."""

    __slots__ = ("customer_id",)

    def __init__(self, book: int, request: RequestKey | None, *, customer_id: CustomerId) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)

    def wallet(self, working_set: WorkingSet) -> WalletRow:
        """Return the wallet to change.

        Raises:
            Refusal: WALLET_NOT_FOUND, CUSTOMER_ERASED.
        """
        row = working_set.get(WALLET, self.customer_id)
        if row is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        if row.erased_at_us is not None:
            raise customer_erased()
        return working_set.edit(WALLET, self.customer_id)


class UpdateProfile(ProfileCommand):
    """Change a customer's name or e-mail address, both sealed before."""

    __slots__ = ("display_name", "email", "notices")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        display_name: bytes | None,
        email: bytes | None,
        notices: Sequence[MessageRow] = (),
    ) -> None:
        """Take what changes: None leaves a field, no bytes at all remove the e-mail address.

        The notices tell the customer of another address, at the old one as well as the new one.
        """
        super().__init__(book, request, customer_id=customer_id)
        self.notices = notices
        self.display_name = display_name
        self.email = email

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep what was given, unless the customer was erased meanwhile."""
        wallet = self.wallet(working_set)
        if self.display_name is not None:
            wallet.display_name = self.display_name
        if self.email is not None:
            wallet.email = self.email or None
            wallet.email_proven_at_us = None
            for notice in self.notices:
                working_set.append(messages.MESSAGE, notice)
        at_us = working_set.next_stamp()
        working_set.emit(Event(_PROFILE_CHANGED, self.customer_id, 0, at_us, b"", b""))
        return pb.UpdateProfileResponse(
            customer_id=CUSTOMER.encode(self.customer_id), committed_at=working_set.committed_at
        ).SerializeToString()


class EraseCustomer(ProfileCommand):
    """Delete a customer's data key, and with it the sense of all that is sealed under it.

    What is not sealed goes as well: sessions end, devices are revoked and lose their keys, factors
    and evidence are deleted, messages that wait are emptied, and texts are taken out.
    """

    __slots__ = ("phone_index", "recipients")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        phone_index: bytes | None,
        recipients: Sequence[bytes] = (),
    ) -> None:
        """Take what finds the customer, None when there is no alias any more, and messages."""
        super().__init__(book, request, customer_id=customer_id)
        self.phone_index = phone_index
        self.recipients = recipients

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name everything of the customer that goes."""
        yield from super().keys(working_set, stage)
        yield from open_session_keys(working_set, stage, self.customer_id)
        yield from kyc.erasure_keys(working_set, stage, self.customer_id)
        yield from limits.erasure_keys(stage, self.customer_id)
        yield from hold_keys(working_set, stage, self.customer_id)
        if stage == STAGE_POINTER:
            yield RowKey(CUSTOMER_KEY, self.customer_id)
            yield RowKey(CUSTOMER_POCKETS, self.customer_id)
            if self.phone_index is not None:
                yield RowKey(ALIAS, self._alias(self.phone_index))

    @staticmethod
    def _alias(phone_index: bytes) -> AliasKey:
        return AliasKey(AliasKind.PHONE_NUMBER, phone_index)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Erase, once every account is closed and nobody looks at the customer's name."""
        wallet = self.wallet(working_set)
        self._check_closed(working_set)
        if is_held(working_set, self.customer_id):
            raise identification_held()
        at_us = working_set.next_stamp()
        if wallet.phone_index is not None:
            alias = self._alias(wallet.phone_index)
            if working_set.get(ALIAS, alias) is not None:
                working_set.edit(ALIAS, alias)
        if working_set.get(CUSTOMER_KEY, self.customer_id) is not None:
            working_set.edit(CUSTOMER_KEY, self.customer_id)
        working_set.edit(CUSTOMER_POCKETS, self.customer_id).erased = True
        wallet.display_name = wallet.phone_number = NOTHING
        wallet.phone_index = wallet.email = wallet.email_proven_at_us = None
        wallet.erased_at_us = at_us
        self._forget(working_set, at_us)
        working_set.emit(Event(_CUSTOMER_ERASED, self.customer_id, 0, at_us, b"", b""))
        return pb.EraseCustomerResponse(
            customer_id=CUSTOMER.encode(self.customer_id),
            erase_time=timestamp(at_us),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _forget(self, working_set: WorkingSet, at_us: int) -> None:
        """Let go what other areas keep of the customer."""
        customer_id = self.customer_id
        end_sessions(working_set, customer_id, EndCause.CUSTOMER_ERASED)
        kyc.erase(working_set, customer_id)
        limits.erase(working_set, customer_id)
        owner = ErasedOwner(customer_id, self.phone_index or b"", at_us)
        working_set.append(identity.ERASED, owner)
        working_set.append(factors.ERASED, customer_id)
        working_set.append(challenges.ERASED, customer_id)
        working_set.append(payer_codes.ERASED, customer_id)
        working_set.append(riskcases.ERASED, customer_id)
        working_set.append(risk.ERASED, customer_id)
        working_set.append(screening.ERASED, customer_id)
        working_set.append(recovery.ERASED, customer_id)
        working_set.append(billers.ERASED, (customer_id, at_us))
        for recipient in self.recipients:
            working_set.append(messages.ERASED, ErasedRecipient(recipient, at_us))

    def _check_closed(self, working_set: WorkingSet) -> None:
        counted = working_set.get(CUSTOMER_POCKETS, self.customer_id)
        assert counted is not None, "a customer's accounts are always counted"
        # What commands of the same batch opened and closed was not counted yet.
        pockets = working_set.table(POCKET)
        opened = [row for row in pockets.inserted.values() if row.closed_at_us is None]
        closed = [row for row in pockets.changed.values() if row.closed_at_us is not None]
        open_count = counted.open_count
        open_count += sum(row.customer_id == self.customer_id for row in opened)
        open_count -= sum(row.customer_id == self.customer_id for row in closed)
        if open_count:
            raise Refusal(
                "WALLET_NOT_CLOSED",
                "the customer still has open accounts",
                metadata={"open_accounts": str(open_count)},
            )
