"""The commands of linked accounts: what a customer wants to be reminded of. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import bills_service_pb2 as pb
from longmen_server.accounts.model import customer_erased, wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.billers import model
from longmen_server.billers.model import LinkRef, LinkRow
from longmen_server.billers.tables import BILLER, LINK, LINKS
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.platform.ids import BILL_LINK, CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.accounts.model import Actor
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.platform.ids import BillLinkId

__all__ = ["LinkAccount", "UnlinkAccount"]


class LinkAccount(Command):
    """Keep an account with a biller for a customer."""

    __slots__ = ("account_number", "wanted")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        wanted: LinkRow,
        account_number: str,
    ) -> None:
        """Take the link, sealed where there is somebody to seal it for, and its number."""
        super().__init__(book, request)
        self.wanted = wanted
        self.account_number = account_number

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet, its linked accounts, the one that is the same, and the biller."""
        customer_id = self.wanted.customer_id
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, customer_id)
            yield RowKey(LINKS, customer_id)
        elif stage == STAGE_LINK:
            yield RowKey(BILLER, self.wanted.biller_id)
            known = self._known(working_set)
            if known is not None:
                yield RowKey(LINK, known.link_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Keep it, unless it is linked already."""
        wanted = self.wanted
        wallet = working_set.get(WALLET, wanted.customer_id)
        if wallet is None:
            raise wallet_not_found(CUSTOMER.encode(wanted.customer_id))
        if wallet.erased_at_us is not None:
            raise customer_erased()
        biller = working_set.get(BILLER, wanted.biller_id)
        if biller is None:
            raise model.biller_not_found(wanted.biller_id)
        model.check_open(biller)
        model.check_number(biller.account_format, self.account_number, "account_number")
        present = working_set.get(LINKS, wanted.customer_id) or ()
        known = self._known(working_set)
        row = None if known is None else working_set.get(LINK, known.link_id)
        if row is not None and row.link_id == wanted.link_id:
            row = working_set.edit(LINK, row.link_id)
            row.label = wanted.label
        elif row is None:
            model.check_link_limit(len(present))
            row = wanted.copy()
            row.created_at_us = working_set.next_stamp()
            working_set.insert(LINK, row.link_id, row)
            assert row.account_index is not None, "a link that is made has an account number"
            ref = LinkRef(row.link_id, row.biller_id, row.account_index)
            working_set.insert(LINKS, wanted.customer_id, (*present, ref))
        # Replies are kept for retries: the label, which may name people, is not in them.
        return pb.LinkBillAccountResponse(
            link_id=BILL_LINK.encode(row.link_id),
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def _known(self, working_set: WorkingSet) -> LinkRef | None:
        """Return the customer's link of the same account, if there is one."""
        wanted = self.wanted
        for ref in working_set.get(LINKS, wanted.customer_id) or ():
            if (ref.biller_id, ref.account_index) == (wanted.biller_id, wanted.account_index):
                return ref
        return None


class UnlinkAccount(Command):
    """Forget a linked account."""

    __slots__ = ("actor", "link_id")

    def __init__(
        self, book: int, request: RequestKey | None, *, link_id: BillLinkId, actor: Actor
    ) -> None:
        super().__init__(book, request)
        self.link_id = link_id
        self.actor = actor

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the link."""
        del working_set
        if stage == STAGE_LINK:
            yield RowKey(LINK, self.link_id)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Forget it; nothing of it is kept but that it was there."""
        row = working_set.get(LINK, self.link_id)
        if row is None or row.removed_at_us is not None or not self.actor.may_use(row.customer_id):
            raise model.link_not_found(self.link_id)
        row = working_set.edit(LINK, self.link_id)
        row.account_index = row.account_number = row.label = None
        row.removed_at_us = working_set.next_stamp()
        return pb.UnlinkBillAccountResponse(
            committed_at=working_set.committed_at
        ).SerializeToString()
