"""The commands of identification: what each needs loaded, and what it decides. All pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.identity.v1 import kyc_service_pb2 as pb
from longmen_server.accounts.model import customer_erased, wallet_not_found
from longmen_server.accounts.tables import WALLET
from longmen_server.engine.command import Command, RequestKey, RowKey
from longmen_server.engine.family import STAGE_LINK, STAGE_POINTER
from longmen_server.kyc import standing
from longmen_server.kyc.model import (
    FILED,
    FIRST_DOWNGRADE,
    Category,
    Cause,
    EvidenceKey,
    EvidenceKind,
    EvidenceRow,
    EvidenceState,
    check_downgrade,
    check_upgrade,
    evidence_in_use,
    evidence_missing,
)
from longmen_server.kyc.tables import EVIDENCE, STANDING, USE
from longmen_server.platform.ids import CUSTOMER, CaseId, CustomerId
from longmen_server.screening.model import HELD, Screened, identification_held
from longmen_server.screening.recording import hold_keys, is_held, record, record_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.engine.working_set import WorkingSet
    from longmen_server.kyc.model import ClassRules, SealedEvidence
    from longmen_server.platform.refusal import Refusal

__all__ = ["ConfirmInPerson", "DowngradeKyc", "SubmitEvidence", "UpgradeKyc"]


class KycCommand(Command):
    """A command about one customer's identification."""

    __slots__ = ("customer_id",)

    def __init__(self, book: int, request: RequestKey | None, *, customer_id: CustomerId) -> None:
        super().__init__(book, request)
        self.customer_id = customer_id

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the wallet, which changes take turns by, the class and all that is on file."""
        del working_set
        if stage == STAGE_POINTER:
            yield RowKey(WALLET, self.customer_id)
            yield RowKey(STANDING, self.customer_id)
            for key in standing.evidence_keys(self.customer_id):
                yield RowKey(EVIDENCE, key)

    def check(self, working_set: WorkingSet) -> None:
        """Refuse for whoever is no customer, or none any more.

        Raises:
            Refusal: WALLET_NOT_FOUND, CUSTOMER_ERASED.
        """
        row = working_set.get(WALLET, self.customer_id)
        if row is None:
            raise wallet_not_found(CUSTOMER.encode(self.customer_id))
        if row.erased_at_us is not None:
            raise customer_erased()

    def check_replaceable(self, working_set: WorkingSet, category: Category) -> None:
        """Refuse to replace what the customer's class rests on.

        Raises:
            Refusal: EVIDENCE_IN_USE.
        """
        row = working_set.get(EVIDENCE, EvidenceKey(self.customer_id, category))
        present = standing.present_class(working_set, self.customer_id)
        rules = standing.pack_now(working_set).classes.get(present)
        if row is not None and row.is_active and rules is not None and category in rules.needs:
            raise evidence_in_use(row.kind, present)


class SubmitEvidence(KycCommand):
    """Put a document or a bank account on file."""

    __slots__ = ("case_id", "category", "evidence", "screened")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        category: Category,
        evidence: SealedEvidence | None,
        case_id: CaseId,
        screened: Screened | None = None,
    ) -> None:
        """Take what is put on file.

        Args:
            book: of the customer.
            request: under which it is put.
            customer_id: whose file it is.
            category: of the evidence.
            evidence: sealed; None where there is no customer to seal it for.
            case_id: fresh, of the case to open where somebody has to look at the customer.
            screened: what came of looking the name up; None where there is no name.
        """
        super().__init__(book, request, customer_id=customer_id)
        self.category = category
        self.evidence = evidence
        self.case_id = case_id
        self.screened = screened

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the file, and what is known of the customer's screening."""
        yield from super().keys(working_set, stage)
        if self.screened is not None:
            yield from record_keys(stage, self.customer_id, self.screened)

    def decide(self, working_set: WorkingSet) -> bytes:
        """File it, unless the customer's class rests on what is there."""
        self.check(working_set)
        self.check_replaceable(working_set, self.category)
        evidence = self.evidence
        assert evidence is not None, "a customer who is there has a key to seal with"
        row = EvidenceRow(
            customer_id=self.customer_id,
            category=self.category,
            kind=evidence.kind,
            state=EvidenceState.ACTIVE,
            submitted_at_us=0,
            changed_at_us=0,
            number_index=evidence.number_index,
            number=evidence.number,
            name=evidence.name,
            birth_date=evidence.birth_date,
        )
        standing.file_evidence(working_set, row)
        if self.category == Category.DOCUMENT:
            # Somebody was seen with another document than this one.
            standing.void(working_set, EvidenceKey(self.customer_id, Category.IN_PERSON))
        if self.screened is not None:
            record(working_set, self.customer_id, self.screened, self.case_id)
        return pb.SubmitEvidenceResponse(
            customer_id=CUSTOMER.encode(self.customer_id),
            evidence=evidence.kind,  # type: ignore[arg-type]  # enums of the contract are ints
            committed_at=working_set.committed_at,
        ).SerializeToString()


class ConfirmInPerson(KycCommand):
    """Note that the customer was seen with the document on file."""

    __slots__ = ()

    def decide(self, working_set: WorkingSet) -> bytes:
        """Note it."""
        self.check(working_set)
        document = working_set.get(EVIDENCE, EvidenceKey(self.customer_id, Category.DOCUMENT))
        if document is None or not document.is_active:
            raise evidence_missing(standing.pack_now(working_set), [Category.DOCUMENT])
        self.check_replaceable(working_set, Category.IN_PERSON)
        row = EvidenceRow(
            customer_id=self.customer_id,
            category=Category.IN_PERSON,
            kind=EvidenceKind.IN_PERSON,
            state=EvidenceState.ACTIVE,
            submitted_at_us=0,
            changed_at_us=0,
            number_index=None,
            number=None,
            name=None,
            birth_date=None,
        )
        standing.file_evidence(working_set, row)
        return pb.ConfirmInPersonResponse(
            customer_id=CUSTOMER.encode(self.customer_id), committed_at=working_set.committed_at
        ).SerializeToString()


class ClassCommand(KycCommand):
    """A command that brings a customer to another class."""

    __slots__ = ("target",)

    def __init__(
        self, book: int, request: RequestKey | None, *, customer_id: CustomerId, target: int
    ) -> None:
        super().__init__(book, request, customer_id=customer_id)
        self.target = target

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name the places of the document, for the class before and the one after."""
        yield from super().keys(working_set, stage)
        if stage == STAGE_LINK:
            present = standing.present_class(working_set, self.customer_id)
            for key in standing.use_keys(working_set, self.customer_id, present, self.target):
                yield RowKey(USE, key)

    def move(self, working_set: WorkingSet, cause: Cause, reason_text: bytes | None) -> None:
        """Bring the customer to the class, once its needs are met.

        Raises:
            Refusal: EVIDENCE_MISSING, ID_NUMBER_IN_USE.
        """
        pack = standing.pack_now(working_set)
        rules: ClassRules = pack.classes[self.target]
        missing = rules.missing(standing.on_file(working_set, self.customer_id))
        if missing:
            raise evidence_missing(pack, missing)
        present = standing.present_class(working_set, self.customer_id)
        standing.claim_document(working_set, self.customer_id, rules)
        standing.free_document(working_set, self.customer_id, present)
        standing.change_class(
            working_set, self.customer_id, self.target, cause, reason_text=reason_text
        )


class UpgradeKyc(ClassCommand):
    """Bring a customer to a better class, unless a screening holds it up."""

    __slots__ = ("case_id", "screened")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        target: int,
        case_id: CaseId,
        screened: Screened | None,
    ) -> None:
        """Take the change, and what came of looking the name on file up; None where none is."""
        super().__init__(book, request, customer_id=customer_id, target=target)
        self.case_id = case_id
        self.screened = screened

    def keys(self, working_set: WorkingSet, stage: int) -> Iterable[RowKey]:
        """Name what the change needs, and what may hold it up."""
        yield from super().keys(working_set, stage)
        yield from hold_keys(working_set, stage, self.customer_id)
        if self.screened is not None:
            yield from record_keys(stage, self.customer_id, self.screened)

    def decide(self, working_set: WorkingSet) -> bytes:
        """Upgrade by what is on file."""
        self.check(working_set)
        check_upgrade(standing.present_class(working_set, self.customer_id), self.target)
        self._record(working_set)
        if is_held(working_set, self.customer_id):
            raise identification_held()
        self.move(working_set, Cause.UPGRADED, None)
        return pb.UpgradeKycResponse(
            customer_id=CUSTOMER.encode(self.customer_id),
            identification_class=self.target,
            committed_at=working_set.committed_at,
        ).SerializeToString()

    def refused(self, working_set: WorkingSet, refusal: Refusal) -> None:
        """Leave the case behind that holds the change up."""
        if refusal.reason == HELD:
            self._record(working_set)

    def _record(self, working_set: WorkingSet) -> None:
        """Write down what came of the name, unless another one is on file by now.

        That one was looked up when it came.
        """
        document = working_set.get(EVIDENCE, EvidenceKey(self.customer_id, Category.DOCUMENT))
        screened = self.screened
        if document is None or screened is None or document.name != screened.sealed_name:
            return
        record(working_set, self.customer_id, screened, self.case_id)


class DowngradeKyc(ClassCommand):
    """Bring a customer to a class with tighter limits."""

    __slots__ = ("cause", "reason_text")

    def __init__(
        self,
        book: int,
        request: RequestKey | None,
        *,
        customer_id: CustomerId,
        target: int,
        cause: int,
        reason_text: bytes | None,
    ) -> None:
        """Take the change and its reason, sealed; None where there is no customer."""
        super().__init__(book, request, customer_id=customer_id, target=target)
        self.cause = Cause(FIRST_DOWNGRADE + cause)
        self.reason_text = reason_text

    def decide(self, working_set: WorkingSet) -> bytes:
        """Lower the class, and let count no longer what only better ones need."""
        self.check(working_set)
        check_downgrade(standing.present_class(working_set, self.customer_id), self.target)
        self.move(working_set, self.cause, self.reason_text)
        needs = standing.pack_now(working_set).classes[self.target].needs
        for category in FILED:
            if category not in needs:
                standing.void(working_set, EvidenceKey(self.customer_id, category))
        return pb.DowngradeKycResponse(
            customer_id=CUSTOMER.encode(self.customer_id),
            identification_class=self.target,
            committed_at=working_set.committed_at,
        ).SerializeToString()
