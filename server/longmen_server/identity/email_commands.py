"""The commands that prove e-mail addresses: what each needs loaded, and what it decides."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import email_service_pb2 as pb
from longmen_server.accounts.model import customer_erased, wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.challenges.model import Intent, Operation
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.engine.journal import Event
from longmen_server.identity import encode, model
from longmen_server.identity.model import Limits, Purpose, SendingKey
from longmen_server.identity.steps import Challenge, send, start
from longmen_server.identity.tables import SENDING, VERIFICATION
from longmen_server.messages.tables import MESSAGE
from longmen_server.platform.ids import CUSTOMER, CustomerId, VerificationId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from longmen_server.accounts.model import WalletRow
    from longmen_server.challenges.gate import Gate
    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.messages.model import MessageRow

__all__ = ["ConfirmEmail", "StartEmailProof", "email_missing"]


class StartEmailProof(Command):
    """Send a code to the e-mail address of a profile."""

    __slots__ = ("challenge", "code", "customer_id", "gate", "limits", "phone_index", "sealed")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        phone_index: bytes,
        sealed: bytes,
        challenge: Challenge,
        code: MessageRow,
        limits: Limits,
        gate: Gate | None,
    ) -> None:
        """Take what is sent.

        Args:
            book: the customer's.
            request: the request's key.
            customer_id: whose address it is.
            phone_index: counts what is sent to the customer.
            sealed: the address as the wallet had it when the code was made out.
            challenge: the verification to begin.
            code: the message with the code.
            limits: the settings.
            gate: what has to approve; None where nothing has to.
        """
        super().__init__(book, request)
        self.customer_id = customer_id
        self.phone_index = phone_index
        self.sealed = sealed
        self.challenge = challenge
        self.code = code
        self.limits = limits
        self.gate = gate

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet and what was sent before."""
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_LINK:
            yield RowKey(SENDING, SendingKey(Purpose.EMAIL, self.phone_index))
        if self.gate is not None:
            yield from self.gate.keys(working_set, stage)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Send it, once approved, unless something was sent not long ago."""
        wallet = wallet_of(working_set, self.customer_id)
        if wallet.email is None or wallet.email != self.sealed:
            raise email_missing()
        if self.gate is not None:
            text = "Let codes and notices go to your e-mail address."
            self.gate.demand(working_set, Intent(operation=Operation.FACTOR_CHANGE, text=text))
        key = SendingKey(Purpose.EMAIL, self.phone_index)
        send(working_set, key, self.challenge.verification_id, self.limits)
        row = start(
            working_set,
            # What the code proves is this address and no later one.
            self.challenge._replace(nonce=address_digest(wallet)),
            Purpose.EMAIL,
            self.limits,
            customer_id=self.customer_id,
        )
        working_set.append(MESSAGE, self.code)
        begun = encode.begun(row, self.limits)
        del begun["nonce"]
        return pb.StartEmailProofResponse(
            **begun, committed_at=working_set.committed_at
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the challenge behind."""
        if self.gate is not None:
            self.gate.refused(working_set, refusal)


class ConfirmEmail(Command):
    """Prove an e-mail address by the code that was sent there."""

    __slots__ = ("code_digest", "customer_id", "limits", "notices", "verification_id")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        verification_id: VerificationId,
        code_digest: bytes,
        limits: Limits,
        notices: Sequence[MessageRow],
    ) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id
        self.verification_id = verification_id
        self.code_digest = code_digest
        self.limits = limits
        self.notices = notices
        """Tell the customer, by phone, where codes can go from now on."""

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the verification, the wallet, and what was sent last."""
        if stage == STAGE_POINTER:
            yield RowKey(VERIFICATION, self.verification_id)
            yield RowKey(WALLET, self.customer_id)
        elif stage == STAGE_LINK:
            wallet = working_set.get(WALLET, self.customer_id)
            if wallet is not None and wallet.phone_index is not None:
                yield RowKey(SENDING, SendingKey(Purpose.EMAIL, wallet.phone_index))

    def decide(self, working_set: WorkingSet) -> bytes:
        """Prove it; wrong codes are counted."""
        row = model.check_verification(
            working_set.get(VERIFICATION, self.verification_id),
            self.verification_id,
            Purpose.EMAIL,
            b"",
            working_set.now_us,
        )
        if row.customer_id != self.customer_id:
            raise model.verification_not_found(self.verification_id)
        wallet = wallet_of(working_set, self.customer_id)
        sending = working_set.get(SENDING, SendingKey(Purpose.EMAIL, wallet.phone_index or b""))
        is_latest = sending is not None and sending.verification_id == self.verification_id
        if not is_latest or row.nonce != address_digest(wallet):
            raise model.verification_expired()
        model.check_code(row, self.code_digest, self.limits)
        working_set.edit(VERIFICATION, self.verification_id).used = True
        working_set.edit(WALLET, self.customer_id).email_proven_at_us = working_set.now_us
        for notice in self.notices:
            working_set.append(MESSAGE, notice)
        at_us = working_set.next_stamp()
        type_ = event_pb2.EVENT_TYPE_EMAIL_PROVEN
        working_set.emit(Event(type_, self.customer_id, 0, at_us, b"", b""))
        return pb.ConfirmEmailResponse(committed_at=working_set.committed_at).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Count a wrong code."""
        if refusal.reason == "VERIFICATION_CODE_INVALID":
            working_set.edit(VERIFICATION, self.verification_id).attempts += 1


def wallet_of(working_set: WorkingSet, customer_id: CustomerId) -> WalletRow:
    """Return the wallet of a customer who was not erased.

    Raises:
        Refusal: WALLET_NOT_FOUND, CUSTOMER_ERASED.
    """
    wallet = working_set.get(WALLET, customer_id)
    if wallet is None:
        raise wallet_not_found(CUSTOMER.encode(customer_id))
    if wallet.erased_at_us is not None:
        raise customer_erased()
    return wallet


def address_digest(wallet: WalletRow) -> bytes:
    """Return what stands for a wallet's e-mail address; sealed anew, the same one has another."""
    return sha256(wallet.email or b"").digest()


def email_missing() -> Refusal:
    """Return the refusal of a profile without an e-mail address, or with another one by now."""
    return Refusal("EMAIL_MISSING", "the profile has no such e-mail address")
