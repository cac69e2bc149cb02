"""Every reason of the ledger, reached through the method that callers use, with what it tells."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from longmen.errors.v1 import error_reason_pb2
from longmen.ledger.v1 import account_pb2, transaction_pb2
from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen.type.v1.money_pb2 import Money
from longmen_server.ledger.receipt import ReceiptSigner
from longmen_server.ledger.service import LedgerService
from longmen_server.platform.fingerprint import fingerprint
from longmen_server.platform.ids import ACCOUNT, TRANSACTION
from longmen_server.platform.refusal import Refusal
from tests.support import booking
from tests.support.booking import CLEARING, CREATED, WALLET
from tests.support.clock import SettableClock
from tests.support.ledger import SIGNING_KEY, Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.postgres import Database

ROOT = Path(__file__).resolve().parents[2]
POSTINGS = range(100, 140)
ACCOUNTS_AND_TRANSACTIONS = range(140, 170)
LARGEST = 2**63 - 1

POST = transaction_pb2.POSTING_KIND_POST
PENDING = transaction_pb2.POSTING_KIND_PENDING
CAPTURE = transaction_pb2.POSTING_KIND_CAPTURE
VOID = transaction_pb2.POSTING_KIND_VOID
Spec = transaction_pb2.TransferSpec


class Told(NamedTuple):
    """What a caller is told."""

    reason: str
    metadata: dict[str, str]


class Desk:
    """The service as the edge would call it, and a few things to ask it about."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.service = LedgerService(
            engine=ledger.engine,
            clock=ledger.clock,
            reading=ledger.tools,
            signer=ReceiptSigner(SIGNING_KEY),
        )
        self._numbers = itertools.count(1)

    async def ask(self, method: str, request: Any) -> Any:
        """The reply of a method."""
        call = self.ledger.call(method)
        call.request_id = f"00000000-0000-4000-8000-{next(self._numbers):012d}"
        call.request_digest = fingerprint(request.SerializeToString(deterministic=True), skip=1)
        payload = await getattr(self.service, method)(request, call)
        if isinstance(payload, bytes):
            kind = getattr(pb, f"{method}Response")
            return kind.FromString(payload)
        return payload

    async def transfer(self, *specs: Spec) -> list[transaction_pb2.TransferResult]:
        reply = await self.ask("CreateTransfers", pb.CreateTransfersRequest(transfers=specs))
        return list(reply.results)

    async def told(self, *specs: Spec, index: int = 0) -> Told:
        """What one transfer of a batch is told."""
        result = (await self.transfer(*specs))[index]
        return Told(booking.verdict_of(result), dict(result.reason_metadata))

    async def done(self, *specs: Spec) -> str:
        """The transaction id of a transfer that has to succeed."""
        results = await self.transfer(*specs)
        assert {result.outcome for result in results} == {CREATED}, results
        return results[0].transaction_id

    async def account(self, *, chart_code: int = WALLET, **fields: Any) -> str:
        """A fresh account without limits unless they are given."""
        spec = pb.AccountSpec(
            currency_code="CNY",
            chart_code=chart_code,
            unlimited="floor_minor_units" not in fields,
            **fields,
        )
        reply = await self.ask("CreateAccounts", pb.CreateAccountsRequest(accounts=[spec]))
        found: str = reply.accounts[0].account_id
        return found

    async def pair(self) -> tuple[str, str]:
        return await self.account(), await self.account()

    async def move(self, amount: int = 10, **fields: Any) -> Spec:
        """A transfer between two fresh accounts, or those given."""
        spec = Spec(amount=Money(minor_units=amount, currency_code="CNY"), **fields)
        spec.debit_account_id = spec.debit_account_id or await self.account()
        spec.credit_account_id = spec.credit_account_id or await self.account()
        return spec

    async def hold(self, amount: int = 10, **fields: Any) -> str:
        """The id of a fresh hold."""
        return await self.done(await self.move(amount, kind=PENDING, **fields))

    async def state(self, account_id: str, state: str) -> str:
        """Bring an account to a state; its id."""
        value = account_pb2.AccountState.Value(f"ACCOUNT_STATE_{state}")
        request = pb.SetAccountStateRequest(account_id=account_id, state=value, reason_text="test")
        await self.ask("SetAccountState", request)
        return account_id

    async def refusal(self, method: str, request: Any) -> Told:
        with pytest.raises(Refusal) as caught:
            await self.ask(method, request)
        return Told(caught.value.reason, dict(caught.value.metadata))

    def id(self, book: int = 1) -> str:
        """A transaction id that nobody has used."""
        return TRANSACTION.encode(booking.transaction_id(10**6 + next(self._numbers), book))


@pytest_asyncio.fixture(scope="module")
async def desk(module_database: Database) -> AsyncIterator[Desk]:
    async with open_ledger(module_database.app_dsn, SettableClock()) as ledger:
        yield Desk(ledger)


def absent_account(book: int = 1) -> str:
    return ACCOUNT.encode(booking.account_id(99_999, book))


# -- Postings -------------------------------------------------------------------------------------


async def linked_chain_open(desk: Desk) -> Told:
    return await desk.told(await desk.move(), await desk.move(linked=True), index=1)


async def linked_transfer_failed(desk: Desk) -> Told:
    poor = await desk.account(floor_minor_units=0)
    specs = await desk.move(linked=True), await desk.move(debit_account_id=poor)
    return await desk.told(*specs)


async def transaction_id_conflict(desk: Desk) -> Told:
    spec = await desk.move(transaction_id=desk.id())
    await desk.done(spec)
    spec.amount.minor_units += 1
    return await desk.told(spec)


async def transaction_id_refused(desk: Desk) -> Told:
    poor = await desk.account(floor_minor_units=0)
    spec = await desk.move(transaction_id=desk.id(), debit_account_id=poor)
    await desk.transfer(spec)
    return await desk.told(spec)


async def book_mismatch(desk: Desk) -> Told:
    return await desk.told(await desk.move(credit_account_id=absent_account(book=2)))


async def accounts_identical(desk: Desk) -> Told:
    account = await desk.account()
    return await desk.told(await desk.move(debit_account_id=account, credit_account_id=account))


async def debit_account_not_found(desk: Desk) -> Told:
    return await desk.told(await desk.move(debit_account_id=absent_account()))


async def credit_account_not_found(desk: Desk) -> Told:
    return await desk.told(await desk.move(credit_account_id=absent_account()))


async def pending_posting_not_found(desk: Desk) -> Told:
    request = pb.VoidPendingRequest(pending_posting_id=desk.id())
    return await desk.refusal("VoidPending", request)


async def posting_not_pending(desk: Desk) -> Told:
    posted = await desk.done(await desk.move())
    request = pb.CapturePendingRequest(pending_posting_id=posted)
    return await desk.refusal("CapturePending", request)


async def pending_posting_captured(desk: Desk) -> Told:
    request = pb.CapturePendingRequest(pending_posting_id=await desk.hold())
    await desk.ask("CapturePending", request)
    return await desk.refusal("CapturePending", request)


async def pending_posting_voided(desk: Desk) -> Told:
    request = pb.VoidPendingRequest(pending_posting_id=await desk.hold())
    await desk.ask("VoidPending", request)
    return await desk.refusal("VoidPending", request)


async def pending_posting_expired(desk: Desk) -> Told:
    held = await desk.hold(hold_duration={"seconds": 1})
    desk.ledger.clock.advance(1)
    return await desk.told(Spec(kind=CAPTURE, pending_posting_id=held))


async def currency_mismatch(desk: Desk) -> Told:
    spec = await desk.move()
    spec.amount.currency_code = "USD"
    return await desk.told(spec)


async def capture_amount_exceeded(desk: Desk) -> Told:
    amount = Money(minor_units=11, currency_code="CNY")
    request = pb.CapturePendingRequest(pending_posting_id=await desk.hold(10), amount=amount)
    return await desk.refusal("CapturePending", request)


async def effective_time_in_future(desk: Desk) -> Told:
    seconds = desk.ledger.clock.now_us() // 1_000_000 + 1
    return await desk.told(await desk.move(effective_time=Timestamp(seconds=seconds)))


async def debit_account_closed(desk: Desk) -> Told:
    closing = await desk.state(await desk.account(), "CLOSING")
    return await desk.told(await desk.move(debit_account_id=closing))


async def credit_account_closed(desk: Desk) -> Told:
    closed = await desk.state(await desk.account(), "CLOSED")
    return await desk.told(await desk.move(credit_account_id=closed))


async def debit_account_frozen(desk: Desk) -> Told:
    frozen = await desk.state(await desk.account(), "DEBIT_FROZEN")
    return await desk.told(await desk.move(debit_account_id=frozen))


async def credit_account_frozen(desk: Desk) -> Told:
    frozen = await desk.state(await desk.account(), "FROZEN")
    return await desk.told(await desk.move(credit_account_id=frozen))


async def nothing_to_move(desk: Desk) -> Told:
    empty = await desk.account(floor_minor_units=0)
    mode = transaction_pb2.BALANCING_MODE_DEBIT
    return await desk.told(await desk.move(debit_account_id=empty, balancing=mode))


async def insufficient_funds(desk: Desk) -> Told:
    poor = await desk.account(floor_minor_units=-5)
    return await desk.told(await desk.move(6, debit_account_id=poor))


async def balance_ceiling_exceeded(desk: Desk) -> Told:
    small = await desk.account(ceiling_minor_units=5)
    return await desk.told(await desk.move(6, credit_account_id=small))


async def balance_overflow(desk: Desk) -> Told:
    debit, credit = await desk.pair()
    accounts = {"debit_account_id": debit, "credit_account_id": credit}
    await desk.done(await desk.move(LARGEST, **accounts))
    return await desk.told(await desk.move(1, **accounts))


async def already_reversed(desk: Desk) -> Told:
    request = pb.ReverseTransactionRequest(transaction_id=await desk.done(await desk.move()))
    await desk.ask("ReverseTransaction", request)
    return await desk.refusal("ReverseTransaction", request)


async def not_reversible(desk: Desk) -> Told:
    request = pb.ReverseTransactionRequest(transaction_id=await desk.hold())
    return await desk.refusal("ReverseTransaction", request)


async def account_not_empty(desk: Desk) -> Told:
    return await desk.told(await desk.move(closes_debit_account=True))


async def account_has_holds(desk: Desk) -> Told:
    held = await desk.account()
    await desk.hold(debit_account_id=held)
    closed = account_pb2.ACCOUNT_STATE_CLOSED
    request = pb.SetAccountStateRequest(account_id=held, state=closed, reason_text="test")
    return await desk.refusal("SetAccountState", request)


# -- Accounts and transactions --------------------------------------------------------------------


async def opening(desk: Desk, book: int = 0, **fields: Any) -> Told:
    spec = pb.AccountSpec(**{"currency_code": "CNY", "chart_code": WALLET, **fields})
    request = pb.CreateAccountsRequest(accounts=[spec], book=book)
    return await desk.refusal("CreateAccounts", request)


async def account_not_found(desk: Desk) -> Told:
    return await desk.refusal("GetAccount", pb.GetAccountRequest(account_id=absent_account()))


async def account_id_conflict(desk: Desk) -> Told:
    return await opening(desk, account_id=await desk.account(), chart_code=CLEARING)


async def account_state_conflict(desk: Desk) -> Told:
    account_id = await desk.account()
    state = account_pb2.ACCOUNT_STATE_OPEN
    request = pb.SetAccountStateRequest(account_id=account_id, state=state, reason_text="test")
    return await desk.refusal("SetAccountState", request)


async def unknown_currency(desk: Desk) -> Told:
    return await opening(desk, currency_code="XXX")


async def unknown_chart_code(desk: Desk) -> Told:
    return await opening(desk, chart_code=9999)


async def transaction_not_found(desk: Desk) -> Told:
    request = pb.ReverseTransactionRequest(transaction_id=desk.id())
    return await desk.refusal("ReverseTransaction", request)


async def unknown_book(desk: Desk) -> Told:
    return await opening(desk, book=2)


async def limits_contradict(desk: Desk) -> Told:
    return await opening(desk, floor_minor_units=5, ceiling_minor_units=4)


CASES: dict[str, Callable[[Desk], Awaitable[Told]]] = {
    case.__name__.upper(): case
    for case in (
        linked_chain_open,
        linked_transfer_failed,
        transaction_id_conflict,
        transaction_id_refused,
        book_mismatch,
        accounts_identical,
        debit_account_not_found,
        credit_account_not_found,
        pending_posting_not_found,
        posting_not_pending,
        pending_posting_captured,
        pending_posting_voided,
        pending_posting_expired,
        currency_mismatch,
        capture_amount_exceeded,
        effective_time_in_future,
        debit_account_closed,
        credit_account_closed,
        debit_account_frozen,
        credit_account_frozen,
        nothing_to_move,
        insufficient_funds,
        balance_ceiling_exceeded,
        balance_overflow,
        already_reversed,
        not_reversible,
        account_not_empty,
        account_has_holds,
        account_not_found,
        account_id_conflict,
        account_state_conflict,
        unknown_currency,
        unknown_chart_code,
        transaction_not_found,
        unknown_book,
        limits_contradict,
    )
}


TOLD_TO_PAYERS = {
    "INSUFFICIENT_FUNDS": frozenset(
        {
            *("missing_minor_units", "pocket_account_id", "pocket_minor_units"),
            *("pocket_currency_code", "auto_conversion"),
        }
    )
}
"""What the ledger does not tell by itself, but who pays from a wallet is told: test_fx_pockets."""


@pytest.mark.parametrize("reason", sorted(CASES))
async def test_a_reason_is_reached_and_tells_what_it_documents(desk: Desk, reason: str) -> None:
    told = await CASES[reason](desk)
    assert told.reason == reason
    value = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name[f"ERROR_REASON_{reason}"]
    documented = set(value.GetOptions().Extensions[error_reason_pb2.rule].metadata_keys)
    documented -= TOLD_TO_PAYERS.get(reason, frozenset())
    assert told.metadata.keys() == documented, "the contract documents what a caller is told"


def reasons() -> dict[int, str]:
    values = error_reason_pb2.ErrorReason.DESCRIPTOR.values
    return {value.number: value.name.removeprefix("ERROR_REASON_") for value in values}


def test_no_reason_of_the_ledger_is_without_a_case() -> None:
    own = {
        name
        for number, name in reasons().items()
        if number in POSTINGS or number in ACCOUNTS_AND_TRANSACTIONS
    }
    assert own == CASES.keys()


#: Reasons that other tests reach: by what stands first in the contract of each block.
ELSEWHERE = {
    "tests/integration/test_edge.py": (
        "MALFORMED_REQUEST INVALID_REQUEST UNKNOWN_FIELD UNKNOWN_ENUM_VALUE REQUEST_TOO_LARGE"
        " METADATA_REJECTED TOKEN_MISSING TOKEN_INVALID PERMISSION_DENIED METHOD_DISABLED"
        " OVERLOADED QUOTA_EXCEEDED DEADLINE_EXCEEDED INTERNAL REQUEST_ID_REUSED UNKNOWN_METHOD"
    ),
    "tests/integration/test_edge_lifecycle.py": "SHUTTING_DOWN",
    "tests/integration/test_ledger_reads.py": (
        "INVALID_PAGE_TOKEN INVALID_CONSISTENCY_TOKEN TIME_RANGE_INVALID"
    ),
    "tests/integration/test_journal_reads.py": "INVALID_CURSOR",
    "tests/unit/test_tokens.py": "TOKEN_EXPIRED",
    "tests/integration/test_new_devices.py": "FACTOR_REQUIRED DEVICE_COOLING",
    "tests/integration/test_message_codes.py": "EMAIL_MISSING EMAIL_NOT_PROVEN",
    "tests/fault/test_bad_link.py": "STORAGE_UNAVAILABLE OUTCOME_UNKNOWN CONTENTION",
    "tests/integration/test_jobs.py": "REPLY_EXPIRED",
    "tests/integration/test_mutual_tls.py": (
        "CERTIFICATE_UNKNOWN CERTIFICATE_REFUSED CERTIFICATE_MISMATCH CERTIFICATE_IDENTITY_TAKEN"
        " CERTIFICATE_HAS_NO_SECRET CERTIFICATE_IDENTITY_INVALID"
    ),
    "tests/integration/test_staff.py": (
        "STAFF_NOT_FOUND STAFF_LOGIN_TAKEN STAFF_LAST_ADMINS SIGN_IN_EXPIRED SIGN_IN_REJECTED"
        " ENROLMENT_REJECTED SIGN_IN_STALE"
    ),
    "tests/integration/test_admin.py": "CLOCK_NOT_SETTABLE CLOCK_MOVES_BACK",
    "tests/integration/test_accounts.py": (
        "PHONE_NUMBER_INVALID PHONE_NUMBER_TAKEN WALLET_NOT_FOUND POCKET_EXISTS FROZEN_BY_BANK"
        " SWEEP_ACCOUNT_REQUIRED"
    ),
    "tests/integration/test_transfers.py": (
        "PAYEE_NOT_FOUND PAYEE_CURRENCY_UNAVAILABLE TRANSFER_ALREADY_COMPLETED"
        " TRANSFER_ALREADY_CANCELLED TRANSFER_NOT_FOUND TRANSFER_STATE_CONFLICT PAYER_IS_PAYEE"
        " CLEARING_REFUSED"
    ),
    "tests/integration/test_audit.py": "AUDIT_UNAVAILABLE",
    "tests/integration/test_risk_rules.py": (
        "RULE_NOT_FOUND RULE_SET_BLOCKS_TOO_MUCH RULE_SET_CHANGED RULE_SET_INVALID"
        " RULE_SET_NOT_DRAFT RULE_SET_NOT_FOUND RULE_SET_NOT_TRIED RULE_SET_STATE RULE_SNOOZE_LIMIT"
    ),
    "tests/integration/test_risk_lists.py": (
        "RISK_LIST_CHUNK_ORDER RISK_LIST_IMPORT_CLOSED RISK_LIST_IMPORT_NOT_FOUND"
        " RISK_LIST_INVALID RISK_LIST_TOO_LARGE RISK_LIST_VALUE_INVALID"
    ),
    "tests/integration/test_approvals.py": (
        "APPROVAL_NOT_FOUND APPROVAL_BY_MAKER APPROVAL_HASH_MISMATCH APPROVAL_DECIDED"
        " APPROVAL_EXPIRED APPROVAL_OF_OTHERS"
    ),
    "tests/contract/test_every_rpc.py": "APPROVAL_REQUIRED",
    "tests/integration/test_credentials.py": (
        "KEY_INVALID KEY_NETWORK_REFUSED KEY_NOT_FOUND KEY_REVOKED KEY_LIMIT_REACHED"
        " KEY_INVALID_NETWORK SIGNING_KEY_INVALID SIGNATURE_MISSING SIGNATURE_INVALID"
        " SIGNATURE_REPLAYED"
    ),
    "tests/integration/test_claimed_keys.py": "CLAIM_KEY_MISSING KEY_CLAIM_REJECTED",
    "tests/integration/test_histories.py": "STATEMENT_MONTH_INVALID STATEMENT_TOO_LARGE",
    "tests/integration/test_step_up.py": (
        "CHALLENGE_CLOSED CHALLENGE_CONTENT_CHANGED CHALLENGE_EXPIRED CHALLENGE_NOT_FOUND"
        " FACTOR_REJECTED METHOD_NOT_ACCEPTED NEEDS_AUTH STEP_UP_UNAVAILABLE"
    ),
    "tests/integration/test_identity.py": (
        "CODE_SENT_RECENTLY DEVICE_ALREADY_REVOKED DEVICE_KEY_INVALID DEVICE_LIMIT_REACHED"
        " DEVICE_PROOF_INVALID REFRESH_TOKEN_INVALID REFRESH_TOKEN_REUSED SESSIONS_UNKNOWN"
        " DEVICE_ALREADY_ENROLLED DEVICE_NOT_FOUND SESSION_NOT_FOUND"
        " SESSION_EXPIRED SESSION_REVOKED VERIFICATION_ATTEMPTS_EXHAUSTED"
        " VERIFICATION_CODE_INVALID VERIFICATION_EXPIRED VERIFICATION_NOT_FOUND"
    ),
    "tests/integration/test_factors.py": (
        "ENROLMENT_NOT_FOUND FACTOR_LIMIT_REACHED FACTOR_NOT_FOUND PASSKEY_REJECTED"
        " PASSWORD_WEAK PIN_WEAK"
    ),
    "tests/integration/test_factor_resets.py": (
        "FACTOR_RESET_EMPTY FACTOR_RESET_NOT_FOUND FACTOR_RESET_OPEN FACTOR_RESET_OTHER_DEVICE"
    ),
    "tests/integration/test_proofs.py": "PROOF_INVALID PROOF_MISSING",
    "tests/integration/test_merchants.py": "MERCHANT_NOT_FOUND TERMINAL_NOT_FOUND",
    "tests/integration/test_profile.py": "CUSTOMER_ERASED ERASURE_TOO_EARLY WALLET_NOT_CLOSED",
    "tests/integration/test_payer_codes.py": (
        "CODE_INVALID CODE_EXPIRED CODE_USED CODE_BUDGET_SPENT PAYER_STATE TERMINAL_BUSY"
        " PAYER_CODE_NOT_FOUND SHIFT_OPEN SHIFT_NOT_FOUND"
    ),
    "tests/integration/test_orders.py": (
        "AMOUNT_MISMATCH CODE_MALFORMED CODE_OF_ORDER CODE_UNKNOWN_SCHEME ORDER_CLOSED"
        " ORDER_EXPIRED ORDER_NOT_FOUND ORDER_NOT_PAID ORDER_NUMBER_REUSED ORDER_PAID"
        " ORDER_REVERSED REFUND_EXCEEDS_PAYMENT REFUND_NUMBER_REUSED REFUND_WINDOW_PASSED"
        " REVERSAL_WINDOW_PASSED TERMINAL_REFERENCE_REUSED TERMINAL_REFERENCE_REVERSED"
    ),
    "tests/integration/test_authorizations.py": (
        "CAPTURE_EXCEEDS_AUTHORIZATION CAPTURE_NUMBER_REUSED INCREMENT_LIMIT_REACHED"
        " ORDER_AUTHORIZED ORDER_NOT_AUTHORIZED"
    ),
    "tests/integration/test_bills.py": (
        "BILLER_NOT_FOUND BILLER_CLOSED BILL_ACCOUNT_MALFORMED BILL_NUMBER_REUSED DUE_NOT_FOUND"
        " DUE_NOT_PAYABLE BILL_LINK_NOT_FOUND BILL_LINK_LIMIT_REACHED"
    ),
    "tests/integration/test_donations.py": "NOT_A_CHARITY DONATION_NOT_FOUND",
    "tests/integration/test_mandates.py": (
        "MANDATE_CAP_EXCEEDED MANDATE_NOTICE_REQUIRED MANDATE_NOT_ACTIVE MANDATE_NOT_FOUND"
        " MANDATE_NUMBER_REUSED MANDATE_STATE_CONFLICT"
    ),
    "tests/integration/test_combined_orders.py": (
        "COMBINED_NUMBER_REUSED COMBINED_ORDER_NOT_FOUND ORDER_COMBINED"
    ),
    "tests/integration/test_tips.py": "TIP_LIMIT_EXCEEDED TIP_MISMATCH",
    "tests/integration/test_offline.py": (
        "OFFLINE_BUDGET_SPENT OFFLINE_KEY_NOT_FOUND OFFLINE_KEY_REVOKED OFFLINE_LIMIT_EXCEEDED"
        " OFFLINE_OUT_OF_ORDER OFFLINE_SALE_REUSED OFFLINE_SIGNATURE_INVALID OFFLINE_TIME_AHEAD"
        " OFFLINE_WINDOW_PASSED"
    ),
    "tests/integration/test_webhooks.py": (
        "DELIVERY_NOT_FOUND ENDPOINT_DISABLED ENDPOINT_LIMIT_REACHED ENDPOINT_NOT_FOUND"
        " ENDPOINT_URL_REFUSED"
    ),
    "tests/integration/test_kyc.py": (
        "BALANCE_LIMIT_EXCEEDED EVIDENCE_INVALID EVIDENCE_IN_USE EVIDENCE_MISSING ID_NUMBER_IN_USE"
        " KYC_CLASS_CONFLICT SINGLE_LIMIT_EXCEEDED"
    ),
    "tests/integration/test_settlements.py": (
        "BILL_NOT_READY PLAN_DATE_PASSED SETTLEMENT_NOT_FOUND"
    ),
    "tests/integration/test_offline_acceptance.py": (
        "OFFLINE_NOT_ENABLED OFFLINE_BUDGET_TOO_LARGE"
    ),
    "tests/integration/test_stores.py": (
        "STORE_NOT_FOUND STORE_CLOSED STORE_NUMBER_TAKEN STORE_UNREGISTERED CASHIER_NOT_FOUND"
        " CASHIER_LEFT CASHIER_NUMBER_TAKEN CASHIER_UNREGISTERED"
    ),
    "tests/integration/test_sharing.py": (
        "RECEIVER_NOT_ALLOWED RECEIVER_NOT_FOUND RECEIVER_STATE_CONFLICT SHARE_CAP_EXCEEDED"
        " SHARE_EXCEEDS_HELD SHARE_LIMIT_REACHED SHARE_NOT_FOUND SHARE_NUMBER_REUSED"
        " SHARE_RETURN_EXCEEDS SHARING_ENDED SHARING_EXISTS SHARING_NOT_FOUND SHARING_WINDOW_PASSED"
    ),
    "tests/integration/test_payouts.py": (
        "PAYOUT_ACCOUNT_ACTIVE PAYOUT_ACCOUNT_NOT_FOUND PAYOUT_NOT_FOUND"
    ),
    "tests/integration/test_screening.py": "CASE_VERDICT_MISMATCH IDENTIFICATION_HELD",
    "tests/integration/test_risk_trials.py": "SCORECARD_INVALID",
    "tests/integration/test_risk_cases.py": (
        "CASE_CLOSED CASE_EXISTS CASE_FULL CASE_NOT_FOUND CASE_OF_OTHER_FREEZE NOTHING_TO_APPEAL"
    ),
    "tests/integration/test_risk.py": (
        "DECISION_NOT_FOUND DECISION_NOT_REPLAYABLE FREEZE_EXISTS FREEZE_LIFTED FREEZE_NOT_FOUND"
        " FREEZE_NOT_REVOCABLE RISK_FROZEN RISK_REJECTED TRANSFER_HELD_BY_RISK"
    ),
    "tests/integration/test_limits.py": "LIMIT_EXCEEDED",
    "tests/integration/test_conversions.py": (
        "FX_CONVERSION_NOT_FOUND FX_ORDER_LIMIT FX_POSITION_LIMIT FX_QUOTA_EXCEEDED"
        " FX_QUOTE_CANCELLED"
        " FX_QUOTE_EXPIRED FX_QUOTE_NEEDED FX_QUOTE_NOT_FOUND FX_QUOTE_USED FX_RATE_MOVED"
    ),
    "tests/integration/test_fx_promotions.py": "FX_PROMOTION_NOT_FOUND FX_PROMOTION_SPENT",
    "tests/integration/test_fx_reversals.py": "FX_CONVERSION_REVERSED FX_REVERSAL_TOO_LATE",
    "tests/integration/test_fx_abroad.py": (
        "FX_NOT_REVERSIBLE FX_PAYEE_IS_PAYER FX_REFERENCE_NEEDED"
    ),
    "tests/integration/test_limit_orders.py": (
        "FX_ALERT_NOT_FOUND FX_LIMIT_ORDER_ENDED FX_LIMIT_ORDER_NOT_FOUND FX_RATE_REACHED"
        " FX_WAITING_LIMIT"
    ),
    "tests/integration/test_fx_revaluations.py": ("FX_REVALUATION_EARLY FX_REVALUATION_SUPERSEDED"),
    "tests/integration/test_fx_rates.py": (
        "FX_AMOUNT_TOO_LARGE FX_AMOUNT_TOO_SMALL FX_CURRENCY_NOT_TRADABLE FX_FEED_INVALID"
        " FX_RATE_FROM_FUTURE FX_RATE_JUMP FX_RATE_NOT_FOUND FX_RATE_STALE FX_RATE_SUPERSEDED"
        " FX_SAME_CURRENCY"
    ),
}


def test_every_other_reason_stands_in_the_test_that_reaches_it() -> None:
    listed = [name for names in ELSEWHERE.values() for name in names.split()]
    others = {
        name
        for number, name in reasons().items()
        if number and number not in POSTINGS and number not in ACCOUNTS_AND_TRANSACTIONS
    }
    assert sorted(listed) == sorted(others)
    for module, names in ELSEWHERE.items():
        text = (ROOT / module).read_text("utf-8")
        for name in names.split():
            assert f'"{name}"' in text or f"({name})" in text, f"{name} is not in {module}"


# -- Shapes that are refused before they become commands ------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        Timestamp(seconds=-62_135_596_801),
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=-(2**63)),
        Timestamp(seconds=2**63 - 1),
        Timestamp(seconds=1, nanos=-1),
        Timestamp(seconds=1, nanos=1_000_000_000),
    ],
    ids=lambda moment: f"{moment.seconds}.{moment.nanos}",
)
async def test_a_timestamp_that_is_none_is_an_invalid_request(
    desk: Desk, moment: Timestamp
) -> None:
    spec = await desk.move(effective_time=moment)
    request: Any
    for method, request in (
        ("CreateTransfers", pb.CreateTransfersRequest(transfers=[spec])),
        (
            "ReverseTransaction",
            pb.ReverseTransactionRequest(transaction_id=desk.id(), effective_time=moment),
        ),
    ):
        told = await desk.refusal(method, request)
        assert told == Told("INVALID_REQUEST", {"rules": "timestamp.range"})


MONEY = Money(minor_units=1, currency_code="CNY")
MEANINGLESS: list[tuple[int, dict[str, Any]]] = [
    (POST, {"final": True}),
    (POST, {"hold_duration": {"seconds": 1}}),
    (PENDING, {"final": True}),
    (CAPTURE, {"hold_duration": {"seconds": 1}}),
    (CAPTURE, {"balancing": transaction_pb2.BALANCING_MODE_DEBIT}),
    (CAPTURE, {"closes_debit_account": True}),
    (CAPTURE, {"closes_credit_account": True}),
    (VOID, {"hold_duration": {"seconds": 1}}),
    (VOID, {"balancing": transaction_pb2.BALANCING_MODE_CREDIT}),
    (VOID, {"closes_debit_account": True}),
    (VOID, {"closes_credit_account": True}),
    (VOID, {"amount": MONEY}),
    (VOID, {"final": True}),
]


@pytest.mark.parametrize(("kind", "said"), MEANINGLESS, ids=str)
async def test_what_would_be_ignored_is_refused(
    desk: Desk, kind: int, said: dict[str, Any]
) -> None:
    if kind in {POST, PENDING}:
        spec = await desk.move(kind=kind, **said)
    else:
        spec = Spec(kind=kind, pending_posting_id=await desk.hold(), **said)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as caught:
        await desk.transfer(await desk.move(), spec)
    assert caught.value.reason == "INVALID_REQUEST"
    assert caught.value.field == f"transfers[1].{next(iter(said))}"


async def test_a_transaction_has_no_more_postings_than_addresses(desk: Desk) -> None:
    held = await desk.hold(1000)
    capture = Spec(kind=CAPTURE, pending_posting_id=held, final=True)
    for count, passes in ((99, True), (100, False)):
        specs = [await desk.move() for _ in range(count - 1)]
        request = pb.CreateTransactionRequest(postings=[*specs, capture])
        if passes:
            reply = await desk.ask("CreateTransaction", request)
            assert len(reply.transaction.postings) == count
        else:
            told = await desk.refusal("CreateTransaction", request)
            assert told == Told("INVALID_REQUEST", {"rules": "create_transaction.postings"})


async def test_the_first_instant_there_is_can_be_an_effective_time(desk: Desk) -> None:
    first = Timestamp(seconds=-62_135_596_800)
    booked = await desk.done(await desk.move(effective_time=first))
    reply = await desk.ask("GetTransaction", pb.GetTransactionRequest(transaction_id=booked))
    assert reply.transaction.postings[0].effective_time == first
