"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen_client._errors import (
    AbortedError,
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LongmenError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    RetryAdvice,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AccountHasHolds",
    "AccountIdConflict",
    "AccountNotEmpty",
    "AccountNotFound",
    "AccountStateConflict",
    "AccountsIdentical",
    "AlreadyReversed",
    "AmountMismatch",
    "ApprovalByMaker",
    "ApprovalDecided",
    "ApprovalExpired",
    "ApprovalHashMismatch",
    "ApprovalNotFound",
    "ApprovalOfOthers",
    "ApprovalRequired",
    "AuditUnavailable",
    "BalanceCeilingExceeded",
    "BalanceLimitExceeded",
    "BalanceOverflow",
    "BillAccountMalformed",
    "BillLinkLimitReached",
    "BillLinkNotFound",
    "BillNotReady",
    "BillNumberReused",
    "BillerClosed",
    "BillerNotFound",
    "BookMismatch",
    "CaptureAmountExceeded",
    "CaptureExceedsAuthorization",
    "CaptureNumberReused",
    "CaseClosed",
    "CaseExists",
    "CaseFull",
    "CaseNotFound",
    "CaseOfOtherFreeze",
    "CaseVerdictMismatch",
    "CashierLeft",
    "CashierNotFound",
    "CashierNumberTaken",
    "CashierUnregistered",
    "CertificateHasNoSecret",
    "CertificateIdentityInvalid",
    "CertificateIdentityTaken",
    "CertificateMismatch",
    "CertificateRefused",
    "CertificateUnknown",
    "ChallengeClosed",
    "ChallengeContentChanged",
    "ChallengeExpired",
    "ChallengeNotFound",
    "ClaimKeyMissing",
    "ClearingRefused",
    "ClockMovesBack",
    "ClockNotSettable",
    "CodeBudgetSpent",
    "CodeExpired",
    "CodeInvalid",
    "CodeMalformed",
    "CodeOfOrder",
    "CodeSentRecently",
    "CodeUnknownScheme",
    "CodeUsed",
    "CombinedNumberReused",
    "CombinedOrderNotFound",
    "Contention",
    "CreditAccountClosed",
    "CreditAccountFrozen",
    "CreditAccountNotFound",
    "CurrencyMismatch",
    "CustomerErased",
    "DeadlineExceeded",
    "DebitAccountClosed",
    "DebitAccountFrozen",
    "DebitAccountNotFound",
    "DecisionNotFound",
    "DecisionNotReplayable",
    "DeliveryNotFound",
    "DeviceAlreadyEnrolled",
    "DeviceAlreadyRevoked",
    "DeviceCooling",
    "DeviceKeyInvalid",
    "DeviceLimitReached",
    "DeviceNotFound",
    "DeviceProofInvalid",
    "DonationNotFound",
    "DueNotFound",
    "DueNotPayable",
    "EffectiveTimeInFuture",
    "EmailMissing",
    "EmailNotProven",
    "EndpointDisabled",
    "EndpointLimitReached",
    "EndpointNotFound",
    "EndpointUrlRefused",
    "EnrolmentNotFound",
    "EnrolmentRejected",
    "ErasureTooEarly",
    "EvidenceInUse",
    "EvidenceInvalid",
    "EvidenceMissing",
    "FactorLimitReached",
    "FactorNotFound",
    "FactorRejected",
    "FactorRequired",
    "FactorResetEmpty",
    "FactorResetNotFound",
    "FactorResetOpen",
    "FactorResetOtherDevice",
    "FreezeExists",
    "FreezeLifted",
    "FreezeNotFound",
    "FreezeNotRevocable",
    "FrozenByBank",
    "FxAlertNotFound",
    "FxAmountTooLarge",
    "FxAmountTooSmall",
    "FxConversionNotFound",
    "FxConversionReversed",
    "FxCurrencyNotTradable",
    "FxFeedInvalid",
    "FxLimitOrderEnded",
    "FxLimitOrderNotFound",
    "FxNotReversible",
    "FxOrderLimit",
    "FxPayeeIsPayer",
    "FxPositionLimit",
    "FxPromotionNotFound",
    "FxPromotionSpent",
    "FxQuotaExceeded",
    "FxQuoteCancelled",
    "FxQuoteExpired",
    "FxQuoteNeeded",
    "FxQuoteNotFound",
    "FxQuoteUsed",
    "FxRateFromFuture",
    "FxRateJump",
    "FxRateMoved",
    "FxRateNotFound",
    "FxRateReached",
    "FxRateStale",
    "FxRateSuperseded",
    "FxReferenceNeeded",
    "FxRevaluationEarly",
    "FxRevaluationSuperseded",
    "FxReversalTooLate",
    "FxSameCurrency",
    "FxWaitingLimit",
    "IdNumberInUse",
    "IdentificationHeld",
    "IncrementLimitReached",
    "InsufficientFunds",
    "Internal",
    "InvalidConsistencyToken",
    "InvalidCursor",
    "InvalidPageToken",
    "InvalidRequest",
    "KeyClaimRejected",
    "KeyInvalid",
    "KeyInvalidNetwork",
    "KeyLimitReached",
    "KeyNetworkRefused",
    "KeyNotFound",
    "KeyRevoked",
    "KycClassConflict",
    "LimitExceeded",
    "LimitsContradict",
    "LinkedChainOpen",
    "LinkedTransferFailed",
    "MalformedRequest",
    "MandateCapExceeded",
    "MandateNotActive",
    "MandateNotFound",
    "MandateNoticeRequired",
    "MandateNumberReused",
    "MandateStateConflict",
    "MerchantNotFound",
    "MetadataRejected",
    "MethodDisabled",
    "MethodNotAccepted",
    "NeedsAuth",
    "NotACharity",
    "NotReversible",
    "NothingToAppeal",
    "NothingToMove",
    "OfflineBudgetSpent",
    "OfflineBudgetTooLarge",
    "OfflineKeyNotFound",
    "OfflineKeyRevoked",
    "OfflineLimitExceeded",
    "OfflineNotEnabled",
    "OfflineOutOfOrder",
    "OfflineSaleReused",
    "OfflineSignatureInvalid",
    "OfflineTimeAhead",
    "OfflineWindowPassed",
    "OrderAuthorized",
    "OrderClosed",
    "OrderCombined",
    "OrderExpired",
    "OrderNotAuthorized",
    "OrderNotFound",
    "OrderNotPaid",
    "OrderNumberReused",
    "OrderPaid",
    "OrderReversed",
    "OutcomeUnknown",
    "Overloaded",
    "PasskeyRejected",
    "PasswordWeak",
    "PayeeCurrencyUnavailable",
    "PayeeNotFound",
    "PayerCodeNotFound",
    "PayerIsPayee",
    "PayerState",
    "PayoutAccountActive",
    "PayoutAccountNotFound",
    "PayoutNotFound",
    "PendingPostingCaptured",
    "PendingPostingExpired",
    "PendingPostingNotFound",
    "PendingPostingVoided",
    "PermissionDenied",
    "PhoneNumberInvalid",
    "PhoneNumberTaken",
    "PinWeak",
    "PlanDatePassed",
    "PocketExists",
    "PostingNotPending",
    "ProofInvalid",
    "ProofMissing",
    "QuotaExceeded",
    "ReceiverNotAllowed",
    "ReceiverNotFound",
    "ReceiverStateConflict",
    "RefreshTokenInvalid",
    "RefreshTokenReused",
    "RefundExceedsPayment",
    "RefundNumberReused",
    "RefundWindowPassed",
    "ReplyExpired",
    "RequestIdReused",
    "RequestTooLarge",
    "ReversalWindowPassed",
    "RiskFrozen",
    "RiskListChunkOrder",
    "RiskListImportClosed",
    "RiskListImportNotFound",
    "RiskListInvalid",
    "RiskListTooLarge",
    "RiskListValueInvalid",
    "RiskRejected",
    "RuleNotFound",
    "RuleSetBlocksTooMuch",
    "RuleSetChanged",
    "RuleSetInvalid",
    "RuleSetNotDraft",
    "RuleSetNotFound",
    "RuleSetNotTried",
    "RuleSetState",
    "RuleSnoozeLimit",
    "ScorecardInvalid",
    "SessionExpired",
    "SessionNotFound",
    "SessionRevoked",
    "SessionsUnknown",
    "SettlementNotFound",
    "ShareCapExceeded",
    "ShareExceedsHeld",
    "ShareLimitReached",
    "ShareNotFound",
    "ShareNumberReused",
    "ShareReturnExceeds",
    "SharingEnded",
    "SharingExists",
    "SharingNotFound",
    "SharingWindowPassed",
    "ShiftNotFound",
    "ShiftOpen",
    "ShuttingDown",
    "SignInExpired",
    "SignInRejected",
    "SignInStale",
    "SignatureInvalid",
    "SignatureMissing",
    "SignatureReplayed",
    "SigningKeyInvalid",
    "SingleLimitExceeded",
    "StaffLastAdmins",
    "StaffLoginTaken",
    "StaffNotFound",
    "StatementMonthInvalid",
    "StatementTooLarge",
    "StepUpUnavailable",
    "StorageUnavailable",
    "StoreClosed",
    "StoreNotFound",
    "StoreNumberTaken",
    "StoreUnregistered",
    "SweepAccountRequired",
    "TerminalBusy",
    "TerminalNotFound",
    "TerminalReferenceReused",
    "TerminalReferenceReversed",
    "TimeRangeInvalid",
    "TipLimitExceeded",
    "TipMismatch",
    "TokenExpired",
    "TokenInvalid",
    "TokenMissing",
    "TransactionIdConflict",
    "TransactionIdRefused",
    "TransactionNotFound",
    "TransferAlreadyCancelled",
    "TransferAlreadyCompleted",
    "TransferHeldByRisk",
    "TransferNotFound",
    "TransferStateConflict",
    "UnknownBook",
    "UnknownChartCode",
    "UnknownCurrency",
    "UnknownEnumValue",
    "UnknownField",
    "UnknownMethod",
    "VerificationAttemptsExhausted",
    "VerificationCodeInvalid",
    "VerificationExpired",
    "VerificationNotFound",
    "WalletNotClosed",
    "WalletNotFound",
]


class MalformedRequest(InvalidArgumentError):
    """The request's bytes are not a message of the method's type. Mend the encoder."""

    reason = "MALFORMED_REQUEST"
    retry_advice = RetryAdvice.AFTER_CHANGE


class InvalidRequest(InvalidArgumentError):
    """One or more fields break a rule of the contract. google.rpc.BadRequest lists each field
    and rule. Metadata: rules.
    """

    reason = "INVALID_REQUEST"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("rules",)


class UnknownField(InvalidArgumentError):
    """The request carries a field this server does not know, so that it cannot know what was
    meant. Use the contract of the server's version. Metadata: message.
    """

    reason = "UNKNOWN_FIELD"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("message",)


class UnknownEnumValue(InvalidArgumentError):
    """A field of the request has an enum value this server does not know. Metadata: field."""

    reason = "UNKNOWN_ENUM_VALUE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("field",)


class RequestTooLarge(ResourceExhaustedError):
    """The request is larger than its method takes. Split it. Metadata: limit_bytes."""

    reason = "REQUEST_TOO_LARGE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit_bytes",)


class MetadataRejected(InvalidArgumentError):
    """The call's metadata is too large, repeats a security key or has control characters.
    Metadata: key.
    """

    reason = "METADATA_REJECTED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("key",)


class InvalidPageToken(InvalidArgumentError):
    """The page token was not made by this method for these arguments. Start from the first
    page.
    """

    reason = "INVALID_PAGE_TOKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class InvalidCursor(InvalidArgumentError):
    """The resume cursor is not one this stream has given out. Start without one."""

    reason = "INVALID_CURSOR"
    retry_advice = RetryAdvice.AFTER_CHANGE


class InvalidConsistencyToken(InvalidArgumentError):
    """At_least_as_fresh is not a committed_at value of this service."""

    reason = "INVALID_CONSISTENCY_TOKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class TokenMissing(UnauthenticatedError):
    """The call has no bearer token in its authorization metadata."""

    reason = "TOKEN_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE


class TokenInvalid(UnauthenticatedError):
    """The token is not one this server accepts: signature, algorithm, key, issuer, audience,
    type or claims.
    """

    reason = "TOKEN_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class TokenExpired(UnauthenticatedError):
    """The token was good and is no longer. Get a new one and send the same request again."""

    reason = "TOKEN_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class PermissionDenied(PermissionDeniedError):
    """The principal may not call this method, by its kind or its scopes. Metadata: method."""

    reason = "PERMISSION_DENIED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("method",)


class MethodDisabled(FailedPreconditionError):
    """The method is switched off on this server. Metadata: method."""

    reason = "METHOD_DISABLED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("method",)


class Overloaded(UnavailableError):
    """The server refused the call at once because its queue is full; nothing was done.
    google.rpc.RetryInfo says when to try again. Metadata: class.
    """

    reason = "OVERLOADED"
    retry_advice = RetryAdvice.AFTER_BACKOFF
    metadata_keys = ("class",)


class QuotaExceeded(ResourceExhaustedError):
    """The principal uses more of something than it may, such as open streams. Metadata: quota,
    limit.
    """

    reason = "QUOTA_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_BACKOFF
    metadata_keys = (
        "quota",
        "limit",
    )


class DeadlineExceeded(DeadlineExceededError):
    """The deadline passed. Where the call changes something it may still take effect: ask again
    with the same request id.
    """

    reason = "DEADLINE_EXCEEDED"
    retry_advice = RetryAdvice.SAME_REQUEST


class ShuttingDown(UnavailableError):
    """The server is draining; nothing was done."""

    reason = "SHUTTING_DOWN"
    retry_advice = RetryAdvice.SAME_REQUEST


class StorageUnavailable(UnavailableError):
    """The database cannot be reached; nothing was done."""

    reason = "STORAGE_UNAVAILABLE"
    retry_advice = RetryAdvice.SAME_REQUEST


class OutcomeUnknown(UnavailableError):
    """The connection to the database broke while committing and the outcome could not be read
    yet. Ask again with the same request id.
    """

    reason = "OUTCOME_UNKNOWN"
    retry_advice = RetryAdvice.SAME_REQUEST


class Internal(InternalError):
    """Something broke that should not. Quote the incident id to the operator. Metadata:
    incident_id.
    """

    reason = "INTERNAL"
    retry_advice = RetryAdvice.SAME_REQUEST
    metadata_keys = ("incident_id",)


class RequestIdReused(FailedPreconditionError):
    """The request id was used before with another content. Nothing was done; use a new id for a
    new request. Metadata: fields.
    """

    reason = "REQUEST_ID_REUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("fields",)


class ReplyExpired(AlreadyExistsError):
    """The request took effect long ago and its reply is no longer kept. Look the effect up; it
    is never repeated. Metadata: committed_time.
    """

    reason = "REPLY_EXPIRED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("committed_time",)


class Contention(AbortedError):
    """The database gave up on a conflict between writers; nothing was done."""

    reason = "CONTENTION"
    retry_advice = RetryAdvice.SAME_REQUEST


class UnknownMethod(UnimplementedError):
    """No such method is served. Metadata: method."""

    reason = "UNKNOWN_METHOD"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("method",)


class ClockNotSettable(FailedPreconditionError):
    """The server runs on the real clock."""

    reason = "CLOCK_NOT_SETTABLE"
    retry_advice = RetryAdvice.NEVER


class ClockMovesBack(FailedPreconditionError):
    """The test clock only moves forward. Metadata: now."""

    reason = "CLOCK_MOVES_BACK"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("now",)


class TimeRangeInvalid(InvalidArgumentError):
    """The range of times is empty or its end lies before its start. Metadata: field."""

    reason = "TIME_RANGE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("field",)


class LinkedChainOpen(InvalidArgumentError):
    """The last transfer of the batch is marked as linked, but nothing follows it. Metadata:
    index.
    """

    reason = "LINKED_CHAIN_OPEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("index",)


class LinkedTransferFailed(FailedPreconditionError):
    """Another transfer of the same linked chain was refused, and with it this one. Metadata:
    failed_index.
    """

    reason = "LINKED_TRANSFER_FAILED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("failed_index",)


class TransactionIdConflict(AlreadyExistsError):
    """The transaction id exists with another content; metadata names the first field that
    differs. Metadata: field.
    """

    reason = "TRANSACTION_ID_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("field",)


class TransactionIdRefused(FailedPreconditionError):
    """The transaction id was refused before and stays refused, so that a late retry can never
    move money. Use a new id. Metadata: first_reason.
    """

    reason = "TRANSACTION_ID_REFUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("first_reason",)


class BookMismatch(InvalidArgumentError):
    """The ids of one transfer belong to different books. Metadata: field."""

    reason = "BOOK_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("field",)


class AccountsIdentical(InvalidArgumentError):
    """The debit and the credit account are the same."""

    reason = "ACCOUNTS_IDENTICAL"
    retry_advice = RetryAdvice.AFTER_CHANGE


class DebitAccountNotFound(NotFoundError):
    """The account to debit does not exist. Metadata: account_id."""

    reason = "DEBIT_ACCOUNT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("account_id",)


class CreditAccountNotFound(NotFoundError):
    """The account to credit does not exist. Metadata: account_id."""

    reason = "CREDIT_ACCOUNT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("account_id",)


class PendingPostingNotFound(NotFoundError):
    """The pending posting to capture or void does not exist. Metadata: posting_id."""

    reason = "PENDING_POSTING_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("posting_id",)


class PostingNotPending(FailedPreconditionError):
    """The posting to capture or void was never pending. Metadata: posting_id."""

    reason = "POSTING_NOT_PENDING"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("posting_id",)


class PendingPostingCaptured(FailedPreconditionError):
    """The pending posting was captured to its end before. Metadata: posting_id."""

    reason = "PENDING_POSTING_CAPTURED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("posting_id",)


class PendingPostingVoided(FailedPreconditionError):
    """The pending posting was voided before. Metadata: posting_id."""

    reason = "PENDING_POSTING_VOIDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("posting_id",)


class PendingPostingExpired(FailedPreconditionError):
    """The pending posting has expired; what it held is free again. Metadata: posting_id,
    expire_time.
    """

    reason = "PENDING_POSTING_EXPIRED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "posting_id",
        "expire_time",
    )


class CurrencyMismatch(InvalidArgumentError):
    """The amount's currency is not the currency of the accounts. Metadata: expected, actual."""

    reason = "CURRENCY_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "expected",
        "actual",
    )


class CaptureAmountExceeded(FailedPreconditionError):
    """The capture is larger than what the pending posting still holds. Metadata:
    remaining_minor_units.
    """

    reason = "CAPTURE_AMOUNT_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("remaining_minor_units",)


class EffectiveTimeInFuture(InvalidArgumentError):
    """The effective time lies after the server's present. Metadata: now."""

    reason = "EFFECTIVE_TIME_IN_FUTURE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("now",)


class DebitAccountClosed(FailedPreconditionError):
    """The account to debit is closed or closing."""

    reason = "DEBIT_ACCOUNT_CLOSED"
    retry_advice = RetryAdvice.NEVER


class CreditAccountClosed(FailedPreconditionError):
    """The account to credit is closed or closing."""

    reason = "CREDIT_ACCOUNT_CLOSED"
    retry_advice = RetryAdvice.NEVER


class DebitAccountFrozen(FailedPreconditionError):
    """The account to debit takes no debits at present."""

    reason = "DEBIT_ACCOUNT_FROZEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CreditAccountFrozen(FailedPreconditionError):
    """The account to credit takes no credits at present."""

    reason = "CREDIT_ACCOUNT_FROZEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class NothingToMove(FailedPreconditionError):
    """A balancing transfer found nothing that the limits of the accounts let it move."""

    reason = "NOTHING_TO_MOVE"
    retry_advice = RetryAdvice.AFTER_CHANGE


class InsufficientFunds(FailedPreconditionError):
    """The posting would take an account below its floor. Available is told only to those who
    may see the account. Where another pocket of the payer would do, it is told which, and what
    would be exchanged from it, at the price of the moment, for what is missing: ask CreateQuote
    for that. Metadata: available_minor_units, currency_code, missing_minor_units,
    pocket_account_id, pocket_minor_units, pocket_currency_code. Where the payer lets payments
    exchange what they lack, auto_conversion tells what stood in the way: PAYMENT_MAX, DAY_MAX,
    SPREAD_MAX, POCKET_EMPTY, POCKET_CLOSED or the reason that the exchange was refused for.
    """

    reason = "INSUFFICIENT_FUNDS"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "available_minor_units",
        "currency_code",
        "missing_minor_units",
        "pocket_account_id",
        "pocket_minor_units",
        "pocket_currency_code",
        "auto_conversion",
    )


class BalanceCeilingExceeded(FailedPreconditionError):
    """The posting would take an account above its ceiling."""

    reason = "BALANCE_CEILING_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class BalanceOverflow(OutOfRangeError):
    """The posting would take a counter beyond 2^63 - 1 minor units."""

    reason = "BALANCE_OVERFLOW"
    retry_advice = RetryAdvice.NEVER


class AlreadyReversed(FailedPreconditionError):
    """The transaction was reversed before. Metadata: reversal_transaction_id."""

    reason = "ALREADY_REVERSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("reversal_transaction_id",)


class NotReversible(FailedPreconditionError):
    """The transaction holds, captures, voids or reverses something, and is undone by other
    means. Metadata: kind.
    """

    reason = "NOT_REVERSIBLE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("kind",)


class AccountNotEmpty(FailedPreconditionError):
    """The account to close has a balance."""

    reason = "ACCOUNT_NOT_EMPTY"
    retry_advice = RetryAdvice.AFTER_CHANGE


class AccountHasHolds(FailedPreconditionError):
    """The account to close has pending postings."""

    reason = "ACCOUNT_HAS_HOLDS"
    retry_advice = RetryAdvice.AFTER_CHANGE


class AccountNotFound(NotFoundError):
    """No such account, or not one the caller may see. Metadata: account_id."""

    reason = "ACCOUNT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("account_id",)


class AccountIdConflict(AlreadyExistsError):
    """The account id exists with another content; metadata names the first field that differs.
    Metadata: field.
    """

    reason = "ACCOUNT_ID_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("field",)


class AccountStateConflict(FailedPreconditionError):
    """The account cannot go from its present state to the one asked for. Metadata: state."""

    reason = "ACCOUNT_STATE_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("state",)


class UnknownCurrency(InvalidArgumentError):
    """The currency code is not one of ISO 4217, or one without minor units. Metadata:
    currency_code.
    """

    reason = "UNKNOWN_CURRENCY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class UnknownChartCode(InvalidArgumentError):
    """The chart of accounts has no such code. Metadata: chart_code."""

    reason = "UNKNOWN_CHART_CODE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("chart_code",)


class TransactionNotFound(NotFoundError):
    """No such transaction, or not one the caller may see. Metadata: transaction_id."""

    reason = "TRANSACTION_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("transaction_id",)


class UnknownBook(NotFoundError):
    """This server keeps no such book. Metadata: book."""

    reason = "UNKNOWN_BOOK"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("book",)


class LimitsContradict(InvalidArgumentError):
    """The floor lies above the ceiling."""

    reason = "LIMITS_CONTRADICT"
    retry_advice = RetryAdvice.AFTER_CHANGE


class PhoneNumberInvalid(InvalidArgumentError):
    """The phone number is not a possible number in E.164 form."""

    reason = "PHONE_NUMBER_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class PhoneNumberTaken(AlreadyExistsError):
    """Another wallet is registered with the phone number."""

    reason = "PHONE_NUMBER_TAKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class WalletNotFound(NotFoundError):
    """No such wallet, or not one the caller may see. Metadata: customer_id."""

    reason = "WALLET_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("customer_id",)


class PocketExists(AlreadyExistsError):
    """The wallet has an account in the currency already. Metadata: currency_code."""

    reason = "POCKET_EXISTS"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class PayeeNotFound(NotFoundError):
    """No payee can be reached by this alias or account id."""

    reason = "PAYEE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE


class PayeeCurrencyUnavailable(FailedPreconditionError):
    """The payee has no account in the currency of the transfer. Metadata: currency_code."""

    reason = "PAYEE_CURRENCY_UNAVAILABLE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class FrozenByBank(PermissionDeniedError):
    """The bank froze the account; the customer cannot lift that."""

    reason = "FROZEN_BY_BANK"
    retry_advice = RetryAdvice.NEVER


class SweepAccountRequired(FailedPreconditionError):
    """The account to close has money, and no account to sweep it to was named."""

    reason = "SWEEP_ACCOUNT_REQUIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class TransferAlreadyCompleted(FailedPreconditionError):
    """The transfer has reached the payee and cannot be cancelled or held."""

    reason = "TRANSFER_ALREADY_COMPLETED"
    retry_advice = RetryAdvice.NEVER


class TransferAlreadyCancelled(FailedPreconditionError):
    """The transfer was cancelled."""

    reason = "TRANSFER_ALREADY_CANCELLED"
    retry_advice = RetryAdvice.NEVER


class TransferNotFound(NotFoundError):
    """No such transfer, or not one the caller may see. Metadata: transfer_id."""

    reason = "TRANSFER_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("transfer_id",)


class TransferStateConflict(FailedPreconditionError):
    """The transfer cannot go from its present state to the one asked for. Metadata: state."""

    reason = "TRANSFER_STATE_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("state",)


class StatementMonthInvalid(InvalidArgumentError):
    """The month lies in the future or before the account was opened. Metadata: month."""

    reason = "STATEMENT_MONTH_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("month",)


class PayerIsPayee(InvalidArgumentError):
    """Payer and payee are the same account."""

    reason = "PAYER_IS_PAYEE"
    retry_advice = RetryAdvice.AFTER_CHANGE


class ClearingRefused(FailedPreconditionError):
    """The bank-side clearing refused the instruction. Metadata: clearing_code."""

    reason = "CLEARING_REFUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("clearing_code",)


class StatementTooLarge(FailedPreconditionError):
    """The month has more movements than a statement carries. List them page by page instead.
    Metadata: month, limit.
    """

    reason = "STATEMENT_TOO_LARGE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "month",
        "limit",
    )


class VerificationNotFound(NotFoundError):
    """No such verification, or not for this purpose and phone number. Begin again. Metadata:
    verification_id.
    """

    reason = "VERIFICATION_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("verification_id",)


class VerificationExpired(FailedPreconditionError):
    """Its time is over, it was used, or a later one has replaced it. Begin again."""

    reason = "VERIFICATION_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class VerificationCodeInvalid(UnauthenticatedError):
    """The code is not the one that was sent. Metadata: attempts_left."""

    reason = "VERIFICATION_CODE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("attempts_left",)


class VerificationAttemptsExhausted(FailedPreconditionError):
    """Too many wrong codes; the right one is no longer taken. Begin again."""

    reason = "VERIFICATION_ATTEMPTS_EXHAUSTED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CodeSentRecently(ResourceExhaustedError):
    """Codes go to a phone number at most once a minute and ten times a day. Metadata:
    retry_after_seconds.
    """

    reason = "CODE_SENT_RECENTLY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("retry_after_seconds",)


class DeviceKeyInvalid(InvalidArgumentError):
    """The public key is no point of its curve, or not of the algorithm named."""

    reason = "DEVICE_KEY_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class DeviceProofInvalid(UnauthenticatedError):
    """The signature is not the device key's over what was to be signed."""

    reason = "DEVICE_PROOF_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class DeviceNotFound(NotFoundError):
    """No such device, or not one the caller may see. Metadata: device_id."""

    reason = "DEVICE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("device_id",)


class DeviceAlreadyRevoked(FailedPreconditionError):
    """The device was revoked before."""

    reason = "DEVICE_ALREADY_REVOKED"
    retry_advice = RetryAdvice.NEVER


class DeviceAlreadyEnrolled(FailedPreconditionError):
    """The customer has a device with this key; sign in with it."""

    reason = "DEVICE_ALREADY_ENROLLED"
    retry_advice = RetryAdvice.NEVER


class DeviceLimitReached(FailedPreconditionError):
    """The customer has as many devices as are allowed; revoke one first. Metadata: limit."""

    reason = "DEVICE_LIMIT_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class SessionNotFound(NotFoundError):
    """No such session, or not one the caller may see. Metadata: session_id."""

    reason = "SESSION_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("session_id",)


class SessionExpired(UnauthenticatedError):
    """It was not used for too long, or is too old. Sign in again. Metadata: limit (idle or
    absolute).
    """

    reason = "SESSION_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class SessionRevoked(UnauthenticatedError):
    """The session was ended. Sign in again."""

    reason = "SESSION_REVOKED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class RefreshTokenInvalid(UnauthenticatedError):
    """No session has this refresh token."""

    reason = "REFRESH_TOKEN_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class RefreshTokenReused(UnauthenticatedError):
    """The refresh token was used before, so the session was ended. Sign in again."""

    reason = "REFRESH_TOKEN_REUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class ProofMissing(UnauthenticatedError):
    """The token is bound to a device's key; every call with it carries one proof in the
    metadata dpop.
    """

    reason = "PROOF_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE


class ProofInvalid(UnauthenticatedError):
    """The proof in the metadata dpop is not the bound key's for this call, token and moment, or
    was used before. Make a new one.
    """

    reason = "PROOF_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class SessionsUnknown(UnavailableError):
    """The server cannot tell at present which sessions have ended, so it takes no customer's
    token.
    """

    reason = "SESSIONS_UNKNOWN"
    retry_advice = RetryAdvice.AFTER_BACKOFF


class AuditUnavailable(UnavailableError):
    """The audit trail cannot be written at the moment, so nothing that has to be in it may
    happen.
    """

    reason = "AUDIT_UNAVAILABLE"
    retry_advice = RetryAdvice.AFTER_BACKOFF


class ApprovalRequired(PermissionDeniedError):
    """Staff cannot do this alone; propose it and let another person approve. Metadata: method."""

    reason = "APPROVAL_REQUIRED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("method",)


class ApprovalNotFound(NotFoundError):
    """There is no such proposal. Metadata: approval_id."""

    reason = "APPROVAL_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("approval_id",)


class ApprovalByMaker(PermissionDeniedError):
    """Whoever proposed something, or acts in the same session or on the same device, cannot
    approve it.
    """

    reason = "APPROVAL_BY_MAKER"
    retry_advice = RetryAdvice.NEVER


class ApprovalHashMismatch(FailedPreconditionError):
    """What is to be approved is not what was proposed. Read the proposal again."""

    reason = "APPROVAL_HASH_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE


class ApprovalDecided(FailedPreconditionError):
    """The proposal was executed, rejected or cancelled before. Metadata: state."""

    reason = "APPROVAL_DECIDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("state",)


class ApprovalExpired(FailedPreconditionError):
    """Nobody decided the proposal in its time. Propose it again."""

    reason = "APPROVAL_EXPIRED"
    retry_advice = RetryAdvice.NEVER


class ApprovalOfOthers(PermissionDeniedError):
    """Only whoever proposed something can cancel it; others reject it."""

    reason = "APPROVAL_OF_OTHERS"
    retry_advice = RetryAdvice.NEVER


class KeyInvalid(UnauthenticatedError):
    """The API key is unknown, wrong, expired or revoked."""

    reason = "KEY_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class KeyNetworkRefused(PermissionDeniedError):
    """The API key cannot be used from this address."""

    reason = "KEY_NETWORK_REFUSED"
    retry_advice = RetryAdvice.NEVER


class KeyNotFound(NotFoundError):
    """There is no such API key. Metadata: key_id."""

    reason = "KEY_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("key_id",)


class KeyRevoked(FailedPreconditionError):
    """The API key was revoked before. Metadata: key_id."""

    reason = "KEY_REVOKED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("key_id",)


class KeyLimitReached(FailedPreconditionError):
    """The owner has two keys already. Revoke one first."""

    reason = "KEY_LIMIT_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class KeyInvalidNetwork(InvalidArgumentError):
    """One of the networks is no CIDR. Metadata: network."""

    reason = "KEY_INVALID_NETWORK"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("network",)


class SigningKeyInvalid(InvalidArgumentError):
    """The public key is no Ed25519 or P-256 key in DER."""

    reason = "SIGNING_KEY_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class SignatureMissing(UnauthenticatedError):
    """The call moves money and has to be signed."""

    reason = "SIGNATURE_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE


class SignatureInvalid(UnauthenticatedError):
    """The signature is not the registered key's for this method, request, time and nonce, or is
    too old.
    """

    reason = "SIGNATURE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class SignatureReplayed(UnauthenticatedError):
    """A call with this nonce came before. Sign every attempt anew."""

    reason = "SIGNATURE_REPLAYED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class WalletNotClosed(FailedPreconditionError):
    """The customer still has open accounts, so the personal data is needed. Metadata:
    open_accounts.
    """

    reason = "WALLET_NOT_CLOSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("open_accounts",)


class ErasureTooEarly(FailedPreconditionError):
    """The clearing has not answered for all of the customer's transfers yet. Metadata:
    open_instructions.
    """

    reason = "ERASURE_TOO_EARLY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("open_instructions",)


class CustomerErased(FailedPreconditionError):
    """The customer's personal data was erased for good, and the wallet takes no changes any
    more.
    """

    reason = "CUSTOMER_ERASED"
    retry_advice = RetryAdvice.NEVER


class EvidenceInvalid(FailedPreconditionError):
    """What was submitted cannot be genuine. Metadata: evidence (its kind), rule (what it
    breaks: check_digit, format, birth_date, birth_date_mismatch, issuing_country).
    """

    reason = "EVIDENCE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "evidence",
        "rule",
    )


class EvidenceInUse(FailedPreconditionError):
    """The customer's class rests on what is on file, so it is not replaced. The bank has to
    lower the class first. Metadata: evidence, identification_class.
    """

    reason = "EVIDENCE_IN_USE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "evidence",
        "identification_class",
    )


class EvidenceMissing(FailedPreconditionError):
    """What the class needs is not on file. Submit it first. Metadata: missing (kinds, separated
    by commas; where one of several will do, with bars between them).
    """

    reason = "EVIDENCE_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("missing",)


class IdentificationHeld(FailedPreconditionError):
    """The bank neither raises the customer's class nor erases what identifies the customer at
    present. It gets in touch if it needs anything; nothing that the customer sends changes it.
    """

    reason = "IDENTIFICATION_HELD"
    retry_advice = RetryAdvice.AFTER_CHANGE


class KycClassConflict(FailedPreconditionError):
    """The class asked for is not better than the present one, or for a downgrade not lower.
    Metadata: identification_class (the present one).
    """

    reason = "KYC_CLASS_CONFLICT"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("identification_class",)


class IdNumberInUse(FailedPreconditionError):
    """As many wallets of the class as one identity document may have are there already.
    Metadata: limit, identification_class.
    """

    reason = "ID_NUMBER_IN_USE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit",
        "identification_class",
    )


class SingleLimitExceeded(FailedPreconditionError):
    """The payment is larger than a limit lets one be. Pay less, or do what lifts it. Metadata:
    limit (its name), period (SINGLE), limit_minor_units, currency_code, lifted_by (names of
    LimitLift, by commas), identification_class (for limits of a class).
    """

    reason = "SINGLE_LIMIT_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit",
        "period",
        "limit_minor_units",
        "currency_code",
        "lifted_by",
        "identification_class",
    )


class LimitExceeded(FailedPreconditionError):
    """The movement is more than a limit leaves in its day or year. Metadata: limit (its name),
    period (DAY or YEAR), limit_minor_units, remaining_minor_units, currency_code, resets_at
    (microseconds since 1970), lifted_by (names of LimitLift, by commas), identification_class
    (for limits of a class).
    """

    reason = "LIMIT_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit",
        "period",
        "limit_minor_units",
        "remaining_minor_units",
        "currency_code",
        "resets_at",
        "lifted_by",
        "identification_class",
    )


class BalanceLimitExceeded(FailedPreconditionError):
    """The receiving wallet would hold more than a limit lets it. Metadata, only for money that
    the caller brings to an own account: limit (its name), limit_minor_units, currency_code,
    identification_class.
    """

    reason = "BALANCE_LIMIT_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit",
        "limit_minor_units",
        "currency_code",
        "identification_class",
    )


class FactorRequired(FailedPreconditionError):
    """The code was right, and a new device needs one of the customer's factors as well.
    Complete the same sign-in with a proof by one of the methods. Metadata: methods,
    passkey_options_json (empty unless a passkey counts).
    """

    reason = "FACTOR_REQUIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "methods",
        "passkey_options_json",
    )


class DeviceCooling(FailedPreconditionError):
    """The device is new, and has sent as much as it may until it has cooled. Send less, or
    later, or from another device. Metadata: currency_code, left_minor_units (what it may still
    send in this currency), cooling_until (microseconds since 1970).
    """

    reason = "DEVICE_COOLING"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "currency_code",
        "left_minor_units",
        "cooling_until",
    )


class EmailMissing(FailedPreconditionError):
    """The profile has no e-mail address, or another one than when the call began. Set one with
    UpdateProfile.
    """

    reason = "EMAIL_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE


class EmailNotProven(FailedPreconditionError):
    """Codes go to a proven e-mail address only. Prove it with StartEmailProof, or have the code
    sent by SMS.
    """

    reason = "EMAIL_NOT_PROVEN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class MerchantNotFound(NotFoundError):
    """No such merchant, or not one the caller may see. Metadata: merchant_id."""

    reason = "MERCHANT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("merchant_id",)


class TerminalNotFound(NotFoundError):
    """No such terminal, or not one of the merchant's. Metadata: terminal_id."""

    reason = "TERMINAL_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("terminal_id",)


class NeedsAuth(FailedPreconditionError):
    """The request has to be approved first. Show the challenge, approve it with
    ApproveChallenge, and send the same request with the same request id again: nothing is
    recorded under it yet. Metadata: challenge_id, methods, expire_time.
    """

    reason = "NEEDS_AUTH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "challenge_id",
        "methods",
        "expire_time",
    )


class StepUpUnavailable(FailedPreconditionError):
    """The request has to be approved, and the customer has not set up enough of what can
    approve it. Set up one of the methods and send the same request again. Metadata: methods,
    factors_needed.
    """

    reason = "STEP_UP_UNAVAILABLE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "methods",
        "factors_needed",
    )


class ChallengeNotFound(NotFoundError):
    """No such challenge of the caller. Metadata: challenge_id."""

    reason = "CHALLENGE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("challenge_id",)


class ChallengeExpired(FailedPreconditionError):
    """It was not approved in time. Send the request again for a new challenge. Metadata:
    challenge_id.
    """

    reason = "CHALLENGE_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("challenge_id",)


class ChallengeClosed(FailedPreconditionError):
    """It was used, declined or voided. Metadata: challenge_id, state."""

    reason = "CHALLENGE_CLOSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "challenge_id",
        "state",
    )


class ChallengeContentChanged(FailedPreconditionError):
    """The request is not the one that its challenge was made for. Challenge and request id are
    dead: begin anew. Metadata: challenge_id.
    """

    reason = "CHALLENGE_CONTENT_CHANGED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("challenge_id",)


class FactorRejected(PermissionDeniedError):
    """What was offered does not prove who is calling. Whether it is wrong, blocked after too
    many tries or not set up is not told here; ListFactors tells the customer.
    """

    reason = "FACTOR_REJECTED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class MethodNotAccepted(FailedPreconditionError):
    """The challenge, or signing in on a new device, takes other methods; the server chooses
    them. Metadata: methods.
    """

    reason = "METHOD_NOT_ACCEPTED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("methods",)


class PasswordWeak(InvalidArgumentError):
    """The password is too short, too long, or one that guessers try first. Metadata: rule,
    minimum.
    """

    reason = "PASSWORD_WEAK"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "rule",
        "minimum",
    )


class PinWeak(InvalidArgumentError):
    """The PIN is one that guessers try first. Metadata: rule."""

    reason = "PIN_WEAK"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("rule",)


class FactorNotFound(NotFoundError):
    """No such factor of the caller. Metadata: factor_id."""

    reason = "FACTOR_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("factor_id",)


class FactorLimitReached(FailedPreconditionError):
    """The customer has as many passkeys as one may have. Remove one first. Metadata: limit."""

    reason = "FACTOR_LIMIT_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class EnrolmentNotFound(FailedPreconditionError):
    """Nothing was started that could be confirmed, or its time is over. Start again."""

    reason = "ENROLMENT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE


class PasskeyRejected(InvalidArgumentError):
    """The credential was made for another challenge or site, without verifying its user, or is
    broken.
    """

    reason = "PASSKEY_REJECTED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class StaffNotFound(NotFoundError):
    """No such account of staff. Metadata: staff_id."""

    reason = "STAFF_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("staff_id",)


class StaffLoginTaken(AlreadyExistsError):
    """Another account of staff has the login. Metadata: login."""

    reason = "STAFF_LOGIN_TAKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("login",)


class StaffLastAdmins(FailedPreconditionError):
    """Fewer persons would be left who administer staff than it takes to decide anything.
    Metadata: least.
    """

    reason = "STAFF_LAST_ADMINS"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("least",)


class SignInExpired(FailedPreconditionError):
    """The sign-in of a member of staff is over, was used, or never was. Begin again."""

    reason = "SIGN_IN_EXPIRED"
    retry_advice = RetryAdvice.NEVER


class SignInRejected(UnauthenticatedError):
    """Login, password and second factor do not go together, or the account is unknown,
    suspended or locked after too many tries: which of them is not told.
    """

    reason = "SIGN_IN_REJECTED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class EnrolmentRejected(UnauthenticatedError):
    """No account waits for whoever has this key and this secret."""

    reason = "ENROLMENT_REJECTED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class SignInStale(FailedPreconditionError):
    """The caller signed in too long ago for this. Sign in again. Metadata: seconds."""

    reason = "SIGN_IN_STALE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("seconds",)


class CertificateUnknown(UnauthenticatedError):
    """The client certificate is good, and nobody has registered the identity in it."""

    reason = "CERTIFICATE_UNKNOWN"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CertificateRefused(UnauthenticatedError):
    """The identity in the client certificate was registered, and that has been revoked or has
    expired.
    """

    reason = "CERTIFICATE_REFUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CertificateMismatch(UnauthenticatedError):
    """The API key that comes with the call belongs to somebody else than the client
    certificate.
    """

    reason = "CERTIFICATE_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CertificateIdentityTaken(AlreadyExistsError):
    """The identity is registered already. Metadata: identity."""

    reason = "CERTIFICATE_IDENTITY_TAKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("identity",)


class CertificateIdentityInvalid(InvalidArgumentError):
    """It is neither a SPIFFE id with a path nor "dns:" and a name of two labels at least."""

    reason = "CERTIFICATE_IDENTITY_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CertificateHasNoSecret(FailedPreconditionError):
    """A registered certificate has neither a secret to rotate nor signatures; renew the
    certificate itself. Metadata: key_id.
    """

    reason = "CERTIFICATE_HAS_NO_SECRET"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("key_id",)


class OrderNotFound(NotFoundError):
    """No such order, or not one the caller may see. Metadata: order_id."""

    reason = "ORDER_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("order_id",)


class OrderNumberReused(AlreadyExistsError):
    """The merchant's order number belongs to an order with another content. Fields names what
    differs. Metadata: order_id, fields.
    """

    reason = "ORDER_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "order_id",
        "fields",
    )


class OrderPaid(FailedPreconditionError):
    """The order is paid. Metadata: order_id."""

    reason = "ORDER_PAID"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class OrderClosed(FailedPreconditionError):
    """The order was closed and can never be paid. Make a new one. Metadata: order_id."""

    reason = "ORDER_CLOSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class OrderExpired(FailedPreconditionError):
    """The order was not paid in time. Make a new one. Metadata: order_id, expire_time_us."""

    reason = "ORDER_EXPIRED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "order_id",
        "expire_time_us",
    )


class OrderReversed(FailedPreconditionError):
    """The order was paid and all of it went back by a reversal. Metadata: order_id."""

    reason = "ORDER_REVERSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class AmountMismatch(FailedPreconditionError):
    """The amount is not the order's. Show the payer the order again. Metadata:
    expected_minor_units, currency_code.
    """

    reason = "AMOUNT_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "expected_minor_units",
        "currency_code",
    )


class TerminalReferenceReversed(FailedPreconditionError):
    """The till reversed the sale before it arrived, so it does not take place. Metadata:
    terminal_id, trace_number, business_date.
    """

    reason = "TERMINAL_REFERENCE_REVERSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "terminal_id",
        "trace_number",
        "business_date",
    )


class TerminalReferenceReused(AlreadyExistsError):
    """The till's reference belongs to another order. Metadata: order_id."""

    reason = "TERMINAL_REFERENCE_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class ReversalWindowPassed(FailedPreconditionError):
    """The sale was paid too long ago to be reversed; refund it. Metadata: window_days."""

    reason = "REVERSAL_WINDOW_PASSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("window_days",)


class OrderNotPaid(FailedPreconditionError):
    """The order is not paid, so there is nothing to return. Metadata: order_id, state."""

    reason = "ORDER_NOT_PAID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "order_id",
        "state",
    )


class RefundExceedsPayment(FailedPreconditionError):
    """Refunds together would be more than was paid. Metadata: remaining_minor_units,
    currency_code.
    """

    reason = "REFUND_EXCEEDS_PAYMENT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "remaining_minor_units",
        "currency_code",
    )


class RefundNumberReused(AlreadyExistsError):
    """The refund number belongs to a refund of the order with another content. Fields names
    what differs. Metadata: refund_id, fields.
    """

    reason = "REFUND_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "refund_id",
        "fields",
    )


class RefundWindowPassed(FailedPreconditionError):
    """The order was paid too long ago to be refunded. Metadata: window_days."""

    reason = "REFUND_WINDOW_PASSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("window_days",)


class CodeMalformed(InvalidArgumentError):
    """The code breaks a rule of its standard: which one, in which element, at which character.
    Metadata: problem, path, offset.
    """

    reason = "CODE_MALFORMED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "problem",
        "path",
        "offset",
    )


class CodeUnknownScheme(InvalidArgumentError):
    """The code is another scheme's. Scheme names it where it is known. Metadata: scheme."""

    reason = "CODE_UNKNOWN_SCHEME"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("scheme",)


class CodeOfOrder(FailedPreconditionError):
    """The code is of one order, whose amount is fixed: pay the order. Metadata: order_id."""

    reason = "CODE_OF_ORDER"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("order_id",)


class CodeInvalid(FailedPreconditionError):
    """No device made the payer's code: a digit was misread, the device's codes were revoked, or
    it is a forgery. Scan again.
    """

    reason = "CODE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CodeExpired(FailedPreconditionError):
    """The payer's code was made too long ago, or the device's clock is wrong. Have the payer
    show a fresh one. Metadata: window_seconds.
    """

    reason = "CODE_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("window_seconds",)


class CodeUsed(FailedPreconditionError):
    """The payer's code was scanned before; each is good once. Have the payer show a fresh one."""

    reason = "CODE_USED"
    retry_advice = RetryAdvice.AFTER_CHANGE


class CodeBudgetSpent(FailedPreconditionError):
    """The payer's device has to be online before its next code is taken. Which tells of what
    there was too much: codes, amount, age since it was online, or wrong tries. Metadata: which.
    """

    reason = "CODE_BUDGET_SPENT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("which",)


class PayerState(FailedPreconditionError):
    """The payer cannot pay this way at present. Problem tells a till no more than it needs:
    ACCOUNT, CURRENCY, DEVICE, LIMIT where the payer's class of identification does not permit
    the amount, or APPROVAL where the payer has nothing to approve with. Metadata: problem.
    """

    reason = "PAYER_STATE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("problem",)


class TerminalBusy(FailedPreconditionError):
    """The terminal has another order open. Finish or close that one, or send this one with
    supersede. Metadata: order_id, order_number.
    """

    reason = "TERMINAL_BUSY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "order_id",
        "order_number",
    )


class ShiftOpen(FailedPreconditionError):
    """The terminal has a shift open already; close that one first. Metadata: shift_id."""

    reason = "SHIFT_OPEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("shift_id",)


class ShiftNotFound(NotFoundError):
    """No such shift, or not the caller's to see. Metadata: shift_id."""

    reason = "SHIFT_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("shift_id",)


class PayerCodeNotFound(NotFoundError):
    """The device was not enrolled to show codes, or its codes were revoked."""

    reason = "PAYER_CODE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE


class OfflineKeyNotFound(NotFoundError):
    """The terminal has no such key. Metadata: key_id."""

    reason = "OFFLINE_KEY_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("key_id",)


class OfflineKeyRevoked(FailedPreconditionError):
    """Nothing signed with the key is taken any more. Metadata: key_id."""

    reason = "OFFLINE_KEY_REVOKED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("key_id",)


class OfflineSignatureInvalid(FailedPreconditionError):
    """A stored sale is not as its till has signed it. It stands in the sale's result; nothing
    was taken down.
    """

    reason = "OFFLINE_SIGNATURE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE


class OfflineOutOfOrder(FailedPreconditionError):
    """A stored sale comes after a later one of the same key. It stands in the sale's result;
    nothing was taken down.
    """

    reason = "OFFLINE_OUT_OF_ORDER"
    retry_advice = RetryAdvice.NEVER


class OfflineSaleReused(AlreadyExistsError):
    """The sequence belongs to a stored sale with another content. It stands in the sale's
    result; nothing was taken down.
    """

    reason = "OFFLINE_SALE_REUSED"
    retry_advice = RetryAdvice.NEVER


class OfflineWindowPassed(FailedPreconditionError):
    """A stored sale was forwarded too late. It stands in the sale's result."""

    reason = "OFFLINE_WINDOW_PASSED"
    retry_advice = RetryAdvice.NEVER


class OfflineTimeAhead(FailedPreconditionError):
    """A stored sale is of a time that has not come: the till's clock is wrong. It stands in the
    sale's result.
    """

    reason = "OFFLINE_TIME_AHEAD"
    retry_advice = RetryAdvice.NEVER


class OfflineLimitExceeded(FailedPreconditionError):
    """A stored sale is larger than a sale without a network may be. It stands in the sale's
    result.
    """

    reason = "OFFLINE_LIMIT_EXCEEDED"
    retry_advice = RetryAdvice.NEVER


class OfflineBudgetSpent(FailedPreconditionError):
    """The payer has paid as much without a network as one may on a day. It stands in the sale's
    result.
    """

    reason = "OFFLINE_BUDGET_SPENT"
    retry_advice = RetryAdvice.NEVER


class TipMismatch(FailedPreconditionError):
    """The tip is not the order's, or not one that its offer lets the payer choose. Metadata:
    expected_minor_units, currency_code.
    """

    reason = "TIP_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "expected_minor_units",
        "currency_code",
    )


class TipLimitExceeded(FailedPreconditionError):
    """The tip is larger than one may be for the amount. Metadata: limit_minor_units,
    currency_code.
    """

    reason = "TIP_LIMIT_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_minor_units",
        "currency_code",
    )


class CombinedOrderNotFound(NotFoundError):
    """No such combined order. Metadata: combined_order_id."""

    reason = "COMBINED_ORDER_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("combined_order_id",)


class CombinedNumberReused(AlreadyExistsError):
    """The number belongs to a combined order with another content. Metadata: combined_order_id,
    fields.
    """

    reason = "COMBINED_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "combined_order_id",
        "fields",
    )


class OrderCombined(FailedPreconditionError):
    """The order is part of a combined one and is paid with it. Metadata: order_id,
    combined_order_id.
    """

    reason = "ORDER_COMBINED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "order_id",
        "combined_order_id",
    )


class PlanDatePassed(FailedPreconditionError):
    """A plan cannot begin in the past. Metadata: earliest_date."""

    reason = "PLAN_DATE_PASSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("earliest_date",)


class SettlementNotFound(NotFoundError):
    """No such settlement, or not one the caller may see. Metadata: settlement_id."""

    reason = "SETTLEMENT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("settlement_id",)


class ReceiverNotFound(NotFoundError):
    """The merchant has no such receiver. Metadata: receiver_id."""

    reason = "RECEIVER_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("receiver_id",)


class ReceiverStateConflict(FailedPreconditionError):
    """The receiver is not in a state for that. Metadata: receiver_id, state."""

    reason = "RECEIVER_STATE_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "receiver_id",
        "state",
    )


class ReceiverNotAllowed(FailedPreconditionError):
    """A merchant shares with others only, of its own book and currency. Metadata: receiver_id."""

    reason = "RECEIVER_NOT_ALLOWED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("receiver_id",)


class SharingNotFound(NotFoundError):
    """Nothing is held to be shared of the order. Metadata: order_id."""

    reason = "SHARING_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("order_id",)


class SharingExists(AlreadyExistsError):
    """Another amount was held of the order before. Metadata: order_id."""

    reason = "SHARING_EXISTS"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class SharingEnded(FailedPreconditionError):
    """The sharing of the order has ended. Metadata: order_id."""

    reason = "SHARING_ENDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class SharingWindowPassed(FailedPreconditionError):
    """The payment is too long ago to be shared. Metadata: window_days."""

    reason = "SHARING_WINDOW_PASSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("window_days",)


class ShareCapExceeded(FailedPreconditionError):
    """More than may be shared of the order. Metadata: limit_minor_units, currency_code."""

    reason = "SHARE_CAP_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_minor_units",
        "currency_code",
    )


class ShareExceedsHeld(FailedPreconditionError):
    """More than is left of what is held. Metadata: held_minor_units, currency_code."""

    reason = "SHARE_EXCEEDS_HELD"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "held_minor_units",
        "currency_code",
    )


class ShareLimitReached(FailedPreconditionError):
    """The order was shared as often as one may be. Metadata: limit."""

    reason = "SHARE_LIMIT_REACHED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("limit",)


class ShareNumberReused(AlreadyExistsError):
    """The number belongs to a share or return with another content. Fields names what differs.
    Metadata: fields.
    """

    reason = "SHARE_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("fields",)


class ShareNotFound(NotFoundError):
    """The order has no share of the number. Metadata: share_number."""

    reason = "SHARE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("share_number",)


class ShareReturnExceeds(FailedPreconditionError):
    """More than the receiver has left of the share, or there is nothing to return yet.
    Metadata: returnable_minor_units, currency_code.
    """

    reason = "SHARE_RETURN_EXCEEDS"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "returnable_minor_units",
        "currency_code",
    )


class PayoutNotFound(NotFoundError):
    """The settlement has no payout, or is not one the caller may see. Metadata: settlement_id."""

    reason = "PAYOUT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("settlement_id",)


class PayoutAccountNotFound(NotFoundError):
    """The merchant has no such bank account, or another has taken its place. Metadata:
    payout_account_id.
    """

    reason = "PAYOUT_ACCOUNT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("payout_account_id",)


class PayoutAccountActive(FailedPreconditionError):
    """The account is paid to already. Metadata: payout_account_id."""

    reason = "PAYOUT_ACCOUNT_ACTIVE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("payout_account_id",)


class BillNotReady(FailedPreconditionError):
    """The business date has not ended, or is not closed yet. Metadata: business_date,
    end_time_us.
    """

    reason = "BILL_NOT_READY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "business_date",
        "end_time_us",
    )


class EndpointNotFound(NotFoundError):
    """No such endpoint, or not one the caller may see. Metadata: endpoint_id."""

    reason = "ENDPOINT_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("endpoint_id",)


class EndpointUrlRefused(InvalidArgumentError):
    """Nothing is posted to such a url. Rule says why: scheme, userinfo, fragment, host, port or
    address. Metadata: rule.
    """

    reason = "ENDPOINT_URL_REFUSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("rule",)


class EndpointLimitReached(FailedPreconditionError):
    """The merchant has as many endpoints as one may have. Metadata: limit."""

    reason = "ENDPOINT_LIMIT_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class DeliveryNotFound(NotFoundError):
    """No such delivery, or not one the caller may see. Metadata: delivery_id."""

    reason = "DELIVERY_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("delivery_id",)


class MandateNotFound(NotFoundError):
    """No such mandate, or not one the caller may see. Metadata: mandate_id."""

    reason = "MANDATE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("mandate_id",)


class MandateNumberReused(AlreadyExistsError):
    """The merchant's number belongs to a mandate with another content. Fields names what
    differs. Metadata: mandate_id, fields.
    """

    reason = "MANDATE_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "mandate_id",
        "fields",
    )


class MandateStateConflict(FailedPreconditionError):
    """The mandate cannot come to that state from the one it is in, or not by this caller.
    Metadata: mandate_id, state.
    """

    reason = "MANDATE_STATE_CONFLICT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "mandate_id",
        "state",
    )


class MandateNotActive(FailedPreconditionError):
    """The mandate is paused, terminated or expired. Metadata: mandate_id, state."""

    reason = "MANDATE_NOT_ACTIVE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "mandate_id",
        "state",
    )


class MandateCapExceeded(FailedPreconditionError):
    """The charge is more than the mandate lets. Which is SINGLE or CYCLE. Metadata: which,
    remaining_minor_units, currency_code, resets_at_us.
    """

    reason = "MANDATE_CAP_EXCEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "which",
        "remaining_minor_units",
        "currency_code",
        "resets_at_us",
    )


class MandateNoticeRequired(FailedPreconditionError):
    """The charge was not announced, with another amount, or too short a time ago. Metadata:
    charge_from_time_us.
    """

    reason = "MANDATE_NOTICE_REQUIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("charge_from_time_us",)


class OrderNotAuthorized(FailedPreconditionError):
    """Nothing is held for the order. Metadata: order_id."""

    reason = "ORDER_NOT_AUTHORIZED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("order_id",)


class OrderAuthorized(FailedPreconditionError):
    """Money is held for the order; capture or void it. Metadata: order_id."""

    reason = "ORDER_AUTHORIZED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("order_id",)


class CaptureExceedsAuthorization(FailedPreconditionError):
    """Captures together would be more than is held, tolerance included. Metadata:
    capturable_minor_units, currency_code.
    """

    reason = "CAPTURE_EXCEEDS_AUTHORIZATION"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "capturable_minor_units",
        "currency_code",
    )


class CaptureNumberReused(AlreadyExistsError):
    """The number belongs to a capture of the order with another content. Fields names what
    differs. Metadata: capture_id, fields.
    """

    reason = "CAPTURE_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "capture_id",
        "fields",
    )


class IncrementLimitReached(FailedPreconditionError):
    """The authorization was incremented as often as it can be. Metadata: limit."""

    reason = "INCREMENT_LIMIT_REACHED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("limit",)


class EndpointDisabled(FailedPreconditionError):
    """The endpoint is switched off. Enable it first. Metadata: endpoint_id."""

    reason = "ENDPOINT_DISABLED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("endpoint_id",)


class FxFeedInvalid(InvalidArgumentError):
    """The feed cannot be read whole, so nothing of it was taken. Problems names lines and what
    is wrong with them, up to twenty. Metadata: problems, problem_count.
    """

    reason = "FX_FEED_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "problems",
        "problem_count",
    )


class FxRateNotFound(FailedPreconditionError):
    """Nothing ever told what the currency is worth. Metadata: currency_code."""

    reason = "FX_RATE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class FxRateStale(FailedPreconditionError):
    """The rate is older than its limit and is not guessed. Metadata: currency_code,
    age_seconds, limit_seconds.
    """

    reason = "FX_RATE_STALE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "currency_code",
        "age_seconds",
        "limit_seconds",
    )


class FxRateJump(FailedPreconditionError):
    """The rate moved further from the present one than one caller may move it: two people may.
    Metadata: currency_code, present_rate, moved_basis_points, limit_basis_points.
    """

    reason = "FX_RATE_JUMP"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "currency_code",
        "present_rate",
        "moved_basis_points",
        "limit_basis_points",
    )


class FxSameCurrency(InvalidArgumentError):
    """Source and target are one currency. Metadata: currency_code."""

    reason = "FX_SAME_CURRENCY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class FxCurrencyNotTradable(FailedPreconditionError):
    """The currency is unknown or cannot be exchanged here. Metadata: currency_code."""

    reason = "FX_CURRENCY_NOT_TRADABLE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("currency_code",)


class FxAmountTooSmall(FailedPreconditionError):
    """The amount is worth less than one minor unit of the target currency. Metadata: none."""

    reason = "FX_AMOUNT_TOO_SMALL"
    retry_advice = RetryAdvice.AFTER_CHANGE


class FxAmountTooLarge(FailedPreconditionError):
    """One side of the exchange does not fit into 64 bits. Metadata: none."""

    reason = "FX_AMOUNT_TOO_LARGE"
    retry_advice = RetryAdvice.AFTER_CHANGE


class FxRateFromFuture(FailedPreconditionError):
    """The rate was observed after the server's present. Metadata: now_us."""

    reason = "FX_RATE_FROM_FUTURE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("now_us",)


class FxRateSuperseded(FailedPreconditionError):
    """The present rate was observed later. Metadata: observed_us."""

    reason = "FX_RATE_SUPERSEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("observed_us",)


class FxQuoteNotFound(NotFoundError):
    """There is no such quote, or it is another customer's. Metadata: quote_id."""

    reason = "FX_QUOTE_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("quote_id",)


class FxQuoteExpired(FailedPreconditionError):
    """The quote was not executed in time; a fresh one is offered. Metadata: quote_id,
    expire_time_us, fresh_quote_id, source_minor_units, target_minor_units.
    """

    reason = "FX_QUOTE_EXPIRED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "quote_id",
        "expire_time_us",
        "fresh_quote_id",
        "source_minor_units",
        "target_minor_units",
    )


class FxQuoteUsed(FailedPreconditionError):
    """The quote became a conversion already. Metadata: quote_id, conversion_id."""

    reason = "FX_QUOTE_USED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "quote_id",
        "conversion_id",
    )


class FxQuoteCancelled(FailedPreconditionError):
    """The quote was given up. Metadata: quote_id."""

    reason = "FX_QUOTE_CANCELLED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("quote_id",)


class FxRateMoved(FailedPreconditionError):
    """The rate of a quote without a lock changed since; a fresh quote is offered. Metadata:
    quote_id, fresh_quote_id, source_minor_units, target_minor_units.
    """

    reason = "FX_RATE_MOVED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "quote_id",
        "fresh_quote_id",
        "source_minor_units",
        "target_minor_units",
    )


class FxConversionNotFound(NotFoundError):
    """There is no such conversion, or it is another customer's. Metadata: conversion_id."""

    reason = "FX_CONVERSION_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("conversion_id",)


class FxOrderLimit(FailedPreconditionError):
    """The exchange is larger than one may be. Metadata: limit_minor_units, currency_code."""

    reason = "FX_ORDER_LIMIT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_minor_units",
        "currency_code",
    )


class FxQuoteNeeded(FailedPreconditionError):
    """The exchange is too large to go without a quote shown first. Metadata: limit_minor_units,
    currency_code.
    """

    reason = "FX_QUOTE_NEEDED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_minor_units",
        "currency_code",
    )


class FxPositionLimit(FailedPreconditionError):
    """The bank's position in the currency is as large as it may be. Metadata: currency_code."""

    reason = "FX_POSITION_LIMIT"
    retry_advice = RetryAdvice.AFTER_BACKOFF
    metadata_keys = ("currency_code",)


class FxConversionReversed(FailedPreconditionError):
    """The conversion was taken back already. Metadata: conversion_id, transaction_id."""

    reason = "FX_CONVERSION_REVERSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "conversion_id",
        "transaction_id",
    )


class FxReversalTooLate(FailedPreconditionError):
    """The conversion can no longer be taken back at its own rate. Metadata: conversion_id,
    until_us.
    """

    reason = "FX_REVERSAL_TOO_LATE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "conversion_id",
        "until_us",
    )


class FxRevaluationEarly(FailedPreconditionError):
    """The business date has not begun. Metadata: business_date, present_date."""

    reason = "FX_REVALUATION_EARLY"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "business_date",
        "present_date",
    )


class FxRevaluationSuperseded(FailedPreconditionError):
    """A later business date was revalued already. Metadata: business_date, last_date."""

    reason = "FX_REVALUATION_SUPERSEDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "business_date",
        "last_date",
    )


class FxAlertNotFound(NotFoundError):
    """There is no such alert, or it is another customer's. Metadata: alert_id."""

    reason = "FX_ALERT_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("alert_id",)


class FxRateReached(FailedPreconditionError):
    """The rate that was to be waited for is there already. Metadata: present_rate."""

    reason = "FX_RATE_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("present_rate",)


class FxWaitingLimit(FailedPreconditionError):
    """The customer has as many alerts or limit orders waiting as there may be. Metadata: limit."""

    reason = "FX_WAITING_LIMIT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class FxLimitOrderNotFound(NotFoundError):
    """There is no such order, or it is another customer's. Metadata: limit_order_id."""

    reason = "FX_LIMIT_ORDER_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("limit_order_id",)


class FxLimitOrderEnded(FailedPreconditionError):
    """The order was filled or has expired. Metadata: limit_order_id, state, conversion_id."""

    reason = "FX_LIMIT_ORDER_ENDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "limit_order_id",
        "state",
        "conversion_id",
    )


class FxPayeeIsPayer(FailedPreconditionError):
    """Both accounts are of one customer, so nobody else is paid: exchange by CreateQuote and
    ExecuteQuote. Metadata: none.
    """

    reason = "FX_PAYEE_IS_PAYER"
    retry_advice = RetryAdvice.NEVER


class FxNotReversible(FailedPreconditionError):
    """The conversion has paid somebody else, who keeps it. Metadata: conversion_id."""

    reason = "FX_NOT_REVERSIBLE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("conversion_id",)


class FxReferenceNeeded(InvalidArgumentError):
    """What goes abroad names the bank's own reference of the beneficiary, and nothing else
    does. Metadata: needed.
    """

    reason = "FX_REFERENCE_NEEDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("needed",)


class FxQuotaExceeded(FailedPreconditionError):
    """The exchange is more than is left of what the customer may buy or sell for the home
    currency in the calendar year. Metadata: year, limit_minor_units, used_minor_units,
    currency_code.
    """

    reason = "FX_QUOTA_EXCEEDED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "year",
        "limit_minor_units",
        "used_minor_units",
        "currency_code",
    )


class FxPromotionNotFound(NotFoundError):
    """There is no such promotion. Metadata: promotion_id."""

    reason = "FX_PROMOTION_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("promotion_id",)


class FxPromotionSpent(FailedPreconditionError):
    """The promotion that the quote was made with has no money left; a fresh quote is offered.
    Metadata: quote_id, fresh_quote_id, source_minor_units, target_minor_units.
    """

    reason = "FX_PROMOTION_SPENT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "quote_id",
        "fresh_quote_id",
        "source_minor_units",
        "target_minor_units",
    )


class RuleSetNotFound(NotFoundError):
    """There is no such set of rules. Metadata: rule_set_id."""

    reason = "RULE_SET_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("rule_set_id",)


class RuleSetInvalid(InvalidArgumentError):
    """The rules cannot be evaluated, so they were not saved, or examples fail, so they were not
    promoted. Problems are rule, line, column and code of each; message and excerpt tell of the
    first. LintRules tells all. Metadata: problems, problem_count, rule_id, message, excerpt.
    """

    reason = "RULE_SET_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "problems",
        "problem_count",
        "rule_id",
        "message",
        "excerpt",
    )


class ScorecardInvalid(InvalidArgumentError):
    """It is no TOML, or names a feature, a word or a number that no scorecard may have.
    Metadata: problem.
    """

    reason = "SCORECARD_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("problem",)


class RuleSetNotDraft(FailedPreconditionError):
    """Only drafts change. Metadata: state."""

    reason = "RULE_SET_NOT_DRAFT"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("state",)


class RuleSetChanged(AbortedError):
    """Somebody changed the set meanwhile: look at it again. Metadata: revision."""

    reason = "RULE_SET_CHANGED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("revision",)


class RuleSetState(FailedPreconditionError):
    """A set does not go from its state to the one wanted. Metadata: state, wanted."""

    reason = "RULE_SET_STATE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "state",
        "wanted",
    )


class RuleSetNotTried(FailedPreconditionError):
    """One caller promotes only what was tried in shadow; two people may at once. Metadata:
    state.
    """

    reason = "RULE_SET_NOT_TRIED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("state",)


class RuleSetBlocksTooMuch(FailedPreconditionError):
    """In shadow the set blocked a larger share of movements than one caller may let it; two
    people may. Metadata: blocked_count, decision_count, limit_basis_points.
    """

    reason = "RULE_SET_BLOCKS_TOO_MUCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "blocked_count",
        "decision_count",
        "limit_basis_points",
    )


class RuleNotFound(NotFoundError):
    """The active rules have none of this id. Metadata: rule_id."""

    reason = "RULE_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("rule_id",)


class RuleSnoozeLimit(FailedPreconditionError):
    """A snooze is too long or none, or the rule has too many. Metadata: limit_seconds,
    limit_count.
    """

    reason = "RULE_SNOOZE_LIMIT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_seconds",
        "limit_count",
    )


class RiskListImportNotFound(NotFoundError):
    """There is no such import of a list. Metadata: list_import_id."""

    reason = "RISK_LIST_IMPORT_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("list_import_id",)


class RiskListImportClosed(FailedPreconditionError):
    """The import was committed before. Metadata: state."""

    reason = "RISK_LIST_IMPORT_CLOSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("state",)


class RiskListChunkOrder(FailedPreconditionError):
    """A chunk came before its turn or twice, or the number of chunks is not the one taken.
    Metadata: expected_number, line_count.
    """

    reason = "RISK_LIST_CHUNK_ORDER"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "expected_number",
        "line_count",
    )


class RiskListTooLarge(FailedPreconditionError):
    """The list would have more entries than a list may have. Metadata: limit_count."""

    reason = "RISK_LIST_TOO_LARGE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("limit_count",)


class RiskListInvalid(FailedPreconditionError):
    """Some rows of the import are no entries, so nothing goes by it. Mend the file, or commit
    with skip_bad_rows. Metadata: bad_row_count, entry_count.
    """

    reason = "RISK_LIST_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "bad_row_count",
        "entry_count",
    )


class RiskListValueInvalid(InvalidArgumentError):
    """The text is no value of its kind. Code is that of a bad row. Metadata: code."""

    reason = "RISK_LIST_VALUE_INVALID"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("code",)


class RiskRejected(FailedPreconditionError):
    """The movement looks like fraud and is not made. The reason code may be shown, and the
    reference is what an appeal names. Metadata: reason_code, appeal_reference.
    """

    reason = "RISK_REJECTED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "reason_code",
        "appeal_reference",
    )


class RiskFrozen(FailedPreconditionError):
    """The wallet that pays is frozen, with all its accounts. Metadata: freeze_id."""

    reason = "RISK_FROZEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("freeze_id",)


class DecisionNotFound(NotFoundError):
    """There is no such decision, or it is about another customer's movement. Metadata:
    decision_id.
    """

    reason = "DECISION_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("decision_id",)


class DecisionNotReplayable(FailedPreconditionError):
    """The rules or the scorecard that decided are not there any more. Metadata: decision_id,
    rules_version, card_version.
    """

    reason = "DECISION_NOT_REPLAYABLE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "decision_id",
        "rules_version",
        "card_version",
    )


class FreezeNotFound(NotFoundError):
    """There is no such freeze, or it is another customer's. Metadata: freeze_id."""

    reason = "FREEZE_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("freeze_id",)


class FreezeLifted(FailedPreconditionError):
    """The freeze was lifted already. Metadata: freeze_id."""

    reason = "FREEZE_LIFTED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("freeze_id",)


class FreezeNotRevocable(FailedPreconditionError):
    """Only the bank can lift the freeze. Metadata: freeze_id."""

    reason = "FREEZE_NOT_REVOCABLE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("freeze_id",)


class FreezeExists(AlreadyExistsError):
    """The customer is frozen already; that freeze has to be lifted before another is placed.
    Metadata: freeze_id.
    """

    reason = "FREEZE_EXISTS"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("freeze_id",)


class TransferHeldByRisk(FailedPreconditionError):
    """Risk holds or delays the transfer, and what was asked for is not for the caller to do.
    Metadata: transfer_id, appeal_reference.
    """

    reason = "TRANSFER_HELD_BY_RISK"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "transfer_id",
        "appeal_reference",
    )


class CaseNotFound(NotFoundError):
    """There is no such case, or it is about another customer's movement. Metadata: case_id."""

    reason = "CASE_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("case_id",)


class CaseClosed(FailedPreconditionError):
    """The case has its verdict, and nothing is added to it. Metadata: case_id."""

    reason = "CASE_CLOSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("case_id",)


class CaseExists(AlreadyExistsError):
    """There is a case of the movement already. Metadata: case_id."""

    reason = "CASE_EXISTS"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("case_id",)


class CaseFull(ResourceExhaustedError):
    """The case has as many notes as it may have. Metadata: case_id, maximum."""

    reason = "CASE_FULL"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "case_id",
        "maximum",
    )


class NothingToAppeal(FailedPreconditionError):
    """The movement was not stopped; say that it was somebody else's, if it was. Metadata:
    decision_id.
    """

    reason = "NOTHING_TO_APPEAL"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("decision_id",)


class CaseOfOtherFreeze(FailedPreconditionError):
    """The freeze to lift is not the one of the case's decision, or the verdict lifts none.
    Metadata: case_id, freeze_id.
    """

    reason = "CASE_OF_OTHER_FREEZE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "case_id",
        "freeze_id",
    )


class CaseVerdictMismatch(FailedPreconditionError):
    """The verdict is none of a case of this cause; fraud is confirmed of movements, and a match
    of screenings. Metadata: case_id, verdict.
    """

    reason = "CASE_VERDICT_MISMATCH"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "case_id",
        "verdict",
    )


class FactorResetOpen(FailedPreconditionError):
    """A reset of the customer's factors has been approved already and cools. Metadata:
    effective_time (microseconds).
    """

    reason = "FACTOR_RESET_OPEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("effective_time",)


class FactorResetEmpty(FailedPreconditionError):
    """The customer has no factor of the kinds to be reset."""

    reason = "FACTOR_RESET_EMPTY"
    retry_advice = RetryAdvice.AFTER_CHANGE


class FactorResetNotFound(NotFoundError):
    """The customer has no reset, or none that could still be turned down. Metadata:
    customer_id.
    """

    reason = "FACTOR_RESET_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("customer_id",)


class ClaimKeyMissing(FailedPreconditionError):
    """Nobody is named who is to have the secret of a key. Give a claim key; a key without a
    signing key is not rotated but made anew.
    """

    reason = "CLAIM_KEY_MISSING"
    retry_advice = RetryAdvice.AFTER_CHANGE


class KeyClaimRejected(UnauthenticatedError):
    """There is no such key, its secret was claimed before, the time to claim it is over, or the
    signature is not by its claim key; which of these is not told.
    """

    reason = "KEY_CLAIM_REJECTED"
    retry_advice = RetryAdvice.NEVER


class FactorResetOtherDevice(PermissionDeniedError):
    """The bank has reset the customer's factors, and this is not the device that was shown to
    it. Sign in on that one.
    """

    reason = "FACTOR_RESET_OTHER_DEVICE"
    retry_advice = RetryAdvice.NEVER


class BillerNotFound(NotFoundError):
    """There is no such biller, or it is another merchant's. Metadata: biller_id."""

    reason = "BILLER_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("biller_id",)


class BillerClosed(FailedPreconditionError):
    """The biller takes no payments any more. Metadata: biller_id."""

    reason = "BILLER_CLOSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("biller_id",)


class BillAccountMalformed(InvalidArgumentError):
    """The account number is not of the biller's form; rule is length, characters or check.
    Metadata: rule, hint.
    """

    reason = "BILL_ACCOUNT_MALFORMED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "rule",
        "hint",
    )


class BillNumberReused(AlreadyExistsError):
    """The number belongs to a bill with another content, in the fields named. Metadata: due_id,
    fields.
    """

    reason = "BILL_NUMBER_REUSED"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "due_id",
        "fields",
    )


class DueNotFound(NotFoundError):
    """There is no such bill, or it is not the caller's to see. Metadata: due_id."""

    reason = "DUE_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("due_id",)


class DueNotPayable(FailedPreconditionError):
    """The bill is PAID, CANCELLED or EXPIRED; the last date is empty where there is none.
    Metadata: due_id, state, last_date.
    """

    reason = "DUE_NOT_PAYABLE"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "due_id",
        "state",
        "last_date",
    )


class BillLinkNotFound(NotFoundError):
    """There is no such linked account, or it is another customer's. Metadata: link_id."""

    reason = "BILL_LINK_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("link_id",)


class BillLinkLimitReached(FailedPreconditionError):
    """The customer has as many linked accounts as one may have. Metadata: limit."""

    reason = "BILL_LINK_LIMIT_REACHED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("limit",)


class NotACharity(FailedPreconditionError):
    """The merchant was not taken in as one. Metadata: merchant_id, category_code."""

    reason = "NOT_A_CHARITY"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = (
        "merchant_id",
        "category_code",
    )


class DonationNotFound(NotFoundError):
    """There is no such gift, or it is not the caller's to see. Metadata: donation_id."""

    reason = "DONATION_NOT_FOUND"
    retry_advice = RetryAdvice.NEVER
    metadata_keys = ("donation_id",)


class StoreNotFound(NotFoundError):
    """No such store, or not one of the merchant's. Metadata: store_id."""

    reason = "STORE_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("store_id",)


class StoreClosed(FailedPreconditionError):
    """The store that the till stands in, or is to stand in, is closed. Reopen it, or move the
    till. Metadata: store_id.
    """

    reason = "STORE_CLOSED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("store_id",)


class StoreNumberTaken(AlreadyExistsError):
    """The merchant has another store of that number. Metadata: store_id."""

    reason = "STORE_NUMBER_TAKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("store_id",)


class StoreUnregistered(FailedPreconditionError):
    """The merchant has registered stores, so a till names one by id and not by a label.
    Metadata: merchant_id.
    """

    reason = "STORE_UNREGISTERED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("merchant_id",)


class CashierNotFound(NotFoundError):
    """No such cashier, or not one of the merchant's. Metadata: cashier_id."""

    reason = "CASHIER_NOT_FOUND"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("cashier_id",)


class CashierLeft(FailedPreconditionError):
    """The cashier works for the merchant no longer. Metadata: cashier_id."""

    reason = "CASHIER_LEFT"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("cashier_id",)


class CashierNumberTaken(AlreadyExistsError):
    """The merchant has another cashier of that number. Metadata: cashier_id."""

    reason = "CASHIER_NUMBER_TAKEN"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("cashier_id",)


class CashierUnregistered(FailedPreconditionError):
    """The merchant has registered cashiers, so a shift names one by id and not by a label.
    Metadata: merchant_id.
    """

    reason = "CASHIER_UNREGISTERED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("merchant_id",)


class OfflineNotEnabled(FailedPreconditionError):
    """The merchant's tills do not sell without a network; the bank agrees to it first.
    Metadata: merchant_id.
    """

    reason = "OFFLINE_NOT_ENABLED"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = ("merchant_id",)


class OfflineBudgetTooLarge(FailedPreconditionError):
    """The bank covers no more than its own figure a day. Metadata: limit_minor_units,
    currency_code.
    """

    reason = "OFFLINE_BUDGET_TOO_LARGE"
    retry_advice = RetryAdvice.AFTER_CHANGE
    metadata_keys = (
        "limit_minor_units",
        "currency_code",
    )


BY_REASON: Mapping[str, type[LongmenError]] = {
    "MALFORMED_REQUEST": MalformedRequest,
    "INVALID_REQUEST": InvalidRequest,
    "UNKNOWN_FIELD": UnknownField,
    "UNKNOWN_ENUM_VALUE": UnknownEnumValue,
    "REQUEST_TOO_LARGE": RequestTooLarge,
    "METADATA_REJECTED": MetadataRejected,
    "INVALID_PAGE_TOKEN": InvalidPageToken,
    "INVALID_CURSOR": InvalidCursor,
    "INVALID_CONSISTENCY_TOKEN": InvalidConsistencyToken,
    "TOKEN_MISSING": TokenMissing,
    "TOKEN_INVALID": TokenInvalid,
    "TOKEN_EXPIRED": TokenExpired,
    "PERMISSION_DENIED": PermissionDenied,
    "METHOD_DISABLED": MethodDisabled,
    "OVERLOADED": Overloaded,
    "QUOTA_EXCEEDED": QuotaExceeded,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "SHUTTING_DOWN": ShuttingDown,
    "STORAGE_UNAVAILABLE": StorageUnavailable,
    "OUTCOME_UNKNOWN": OutcomeUnknown,
    "INTERNAL": Internal,
    "REQUEST_ID_REUSED": RequestIdReused,
    "REPLY_EXPIRED": ReplyExpired,
    "CONTENTION": Contention,
    "UNKNOWN_METHOD": UnknownMethod,
    "CLOCK_NOT_SETTABLE": ClockNotSettable,
    "CLOCK_MOVES_BACK": ClockMovesBack,
    "TIME_RANGE_INVALID": TimeRangeInvalid,
    "LINKED_CHAIN_OPEN": LinkedChainOpen,
    "LINKED_TRANSFER_FAILED": LinkedTransferFailed,
    "TRANSACTION_ID_CONFLICT": TransactionIdConflict,
    "TRANSACTION_ID_REFUSED": TransactionIdRefused,
    "BOOK_MISMATCH": BookMismatch,
    "ACCOUNTS_IDENTICAL": AccountsIdentical,
    "DEBIT_ACCOUNT_NOT_FOUND": DebitAccountNotFound,
    "CREDIT_ACCOUNT_NOT_FOUND": CreditAccountNotFound,
    "PENDING_POSTING_NOT_FOUND": PendingPostingNotFound,
    "POSTING_NOT_PENDING": PostingNotPending,
    "PENDING_POSTING_CAPTURED": PendingPostingCaptured,
    "PENDING_POSTING_VOIDED": PendingPostingVoided,
    "PENDING_POSTING_EXPIRED": PendingPostingExpired,
    "CURRENCY_MISMATCH": CurrencyMismatch,
    "CAPTURE_AMOUNT_EXCEEDED": CaptureAmountExceeded,
    "EFFECTIVE_TIME_IN_FUTURE": EffectiveTimeInFuture,
    "DEBIT_ACCOUNT_CLOSED": DebitAccountClosed,
    "CREDIT_ACCOUNT_CLOSED": CreditAccountClosed,
    "DEBIT_ACCOUNT_FROZEN": DebitAccountFrozen,
    "CREDIT_ACCOUNT_FROZEN": CreditAccountFrozen,
    "NOTHING_TO_MOVE": NothingToMove,
    "INSUFFICIENT_FUNDS": InsufficientFunds,
    "BALANCE_CEILING_EXCEEDED": BalanceCeilingExceeded,
    "BALANCE_OVERFLOW": BalanceOverflow,
    "ALREADY_REVERSED": AlreadyReversed,
    "NOT_REVERSIBLE": NotReversible,
    "ACCOUNT_NOT_EMPTY": AccountNotEmpty,
    "ACCOUNT_HAS_HOLDS": AccountHasHolds,
    "ACCOUNT_NOT_FOUND": AccountNotFound,
    "ACCOUNT_ID_CONFLICT": AccountIdConflict,
    "ACCOUNT_STATE_CONFLICT": AccountStateConflict,
    "UNKNOWN_CURRENCY": UnknownCurrency,
    "UNKNOWN_CHART_CODE": UnknownChartCode,
    "TRANSACTION_NOT_FOUND": TransactionNotFound,
    "UNKNOWN_BOOK": UnknownBook,
    "LIMITS_CONTRADICT": LimitsContradict,
    "PHONE_NUMBER_INVALID": PhoneNumberInvalid,
    "PHONE_NUMBER_TAKEN": PhoneNumberTaken,
    "WALLET_NOT_FOUND": WalletNotFound,
    "POCKET_EXISTS": PocketExists,
    "PAYEE_NOT_FOUND": PayeeNotFound,
    "PAYEE_CURRENCY_UNAVAILABLE": PayeeCurrencyUnavailable,
    "FROZEN_BY_BANK": FrozenByBank,
    "SWEEP_ACCOUNT_REQUIRED": SweepAccountRequired,
    "TRANSFER_ALREADY_COMPLETED": TransferAlreadyCompleted,
    "TRANSFER_ALREADY_CANCELLED": TransferAlreadyCancelled,
    "TRANSFER_NOT_FOUND": TransferNotFound,
    "TRANSFER_STATE_CONFLICT": TransferStateConflict,
    "STATEMENT_MONTH_INVALID": StatementMonthInvalid,
    "PAYER_IS_PAYEE": PayerIsPayee,
    "CLEARING_REFUSED": ClearingRefused,
    "STATEMENT_TOO_LARGE": StatementTooLarge,
    "VERIFICATION_NOT_FOUND": VerificationNotFound,
    "VERIFICATION_EXPIRED": VerificationExpired,
    "VERIFICATION_CODE_INVALID": VerificationCodeInvalid,
    "VERIFICATION_ATTEMPTS_EXHAUSTED": VerificationAttemptsExhausted,
    "CODE_SENT_RECENTLY": CodeSentRecently,
    "DEVICE_KEY_INVALID": DeviceKeyInvalid,
    "DEVICE_PROOF_INVALID": DeviceProofInvalid,
    "DEVICE_NOT_FOUND": DeviceNotFound,
    "DEVICE_ALREADY_REVOKED": DeviceAlreadyRevoked,
    "DEVICE_ALREADY_ENROLLED": DeviceAlreadyEnrolled,
    "DEVICE_LIMIT_REACHED": DeviceLimitReached,
    "SESSION_NOT_FOUND": SessionNotFound,
    "SESSION_EXPIRED": SessionExpired,
    "SESSION_REVOKED": SessionRevoked,
    "REFRESH_TOKEN_INVALID": RefreshTokenInvalid,
    "REFRESH_TOKEN_REUSED": RefreshTokenReused,
    "PROOF_MISSING": ProofMissing,
    "PROOF_INVALID": ProofInvalid,
    "SESSIONS_UNKNOWN": SessionsUnknown,
    "AUDIT_UNAVAILABLE": AuditUnavailable,
    "APPROVAL_REQUIRED": ApprovalRequired,
    "APPROVAL_NOT_FOUND": ApprovalNotFound,
    "APPROVAL_BY_MAKER": ApprovalByMaker,
    "APPROVAL_HASH_MISMATCH": ApprovalHashMismatch,
    "APPROVAL_DECIDED": ApprovalDecided,
    "APPROVAL_EXPIRED": ApprovalExpired,
    "APPROVAL_OF_OTHERS": ApprovalOfOthers,
    "KEY_INVALID": KeyInvalid,
    "KEY_NETWORK_REFUSED": KeyNetworkRefused,
    "KEY_NOT_FOUND": KeyNotFound,
    "KEY_REVOKED": KeyRevoked,
    "KEY_LIMIT_REACHED": KeyLimitReached,
    "KEY_INVALID_NETWORK": KeyInvalidNetwork,
    "SIGNING_KEY_INVALID": SigningKeyInvalid,
    "SIGNATURE_MISSING": SignatureMissing,
    "SIGNATURE_INVALID": SignatureInvalid,
    "SIGNATURE_REPLAYED": SignatureReplayed,
    "WALLET_NOT_CLOSED": WalletNotClosed,
    "ERASURE_TOO_EARLY": ErasureTooEarly,
    "CUSTOMER_ERASED": CustomerErased,
    "EVIDENCE_INVALID": EvidenceInvalid,
    "EVIDENCE_IN_USE": EvidenceInUse,
    "EVIDENCE_MISSING": EvidenceMissing,
    "IDENTIFICATION_HELD": IdentificationHeld,
    "KYC_CLASS_CONFLICT": KycClassConflict,
    "ID_NUMBER_IN_USE": IdNumberInUse,
    "SINGLE_LIMIT_EXCEEDED": SingleLimitExceeded,
    "LIMIT_EXCEEDED": LimitExceeded,
    "BALANCE_LIMIT_EXCEEDED": BalanceLimitExceeded,
    "FACTOR_REQUIRED": FactorRequired,
    "DEVICE_COOLING": DeviceCooling,
    "EMAIL_MISSING": EmailMissing,
    "EMAIL_NOT_PROVEN": EmailNotProven,
    "MERCHANT_NOT_FOUND": MerchantNotFound,
    "TERMINAL_NOT_FOUND": TerminalNotFound,
    "NEEDS_AUTH": NeedsAuth,
    "STEP_UP_UNAVAILABLE": StepUpUnavailable,
    "CHALLENGE_NOT_FOUND": ChallengeNotFound,
    "CHALLENGE_EXPIRED": ChallengeExpired,
    "CHALLENGE_CLOSED": ChallengeClosed,
    "CHALLENGE_CONTENT_CHANGED": ChallengeContentChanged,
    "FACTOR_REJECTED": FactorRejected,
    "METHOD_NOT_ACCEPTED": MethodNotAccepted,
    "PASSWORD_WEAK": PasswordWeak,
    "PIN_WEAK": PinWeak,
    "FACTOR_NOT_FOUND": FactorNotFound,
    "FACTOR_LIMIT_REACHED": FactorLimitReached,
    "ENROLMENT_NOT_FOUND": EnrolmentNotFound,
    "PASSKEY_REJECTED": PasskeyRejected,
    "STAFF_NOT_FOUND": StaffNotFound,
    "STAFF_LOGIN_TAKEN": StaffLoginTaken,
    "STAFF_LAST_ADMINS": StaffLastAdmins,
    "SIGN_IN_EXPIRED": SignInExpired,
    "SIGN_IN_REJECTED": SignInRejected,
    "ENROLMENT_REJECTED": EnrolmentRejected,
    "SIGN_IN_STALE": SignInStale,
    "CERTIFICATE_UNKNOWN": CertificateUnknown,
    "CERTIFICATE_REFUSED": CertificateRefused,
    "CERTIFICATE_MISMATCH": CertificateMismatch,
    "CERTIFICATE_IDENTITY_TAKEN": CertificateIdentityTaken,
    "CERTIFICATE_IDENTITY_INVALID": CertificateIdentityInvalid,
    "CERTIFICATE_HAS_NO_SECRET": CertificateHasNoSecret,
    "ORDER_NOT_FOUND": OrderNotFound,
    "ORDER_NUMBER_REUSED": OrderNumberReused,
    "ORDER_PAID": OrderPaid,
    "ORDER_CLOSED": OrderClosed,
    "ORDER_EXPIRED": OrderExpired,
    "ORDER_REVERSED": OrderReversed,
    "AMOUNT_MISMATCH": AmountMismatch,
    "TERMINAL_REFERENCE_REVERSED": TerminalReferenceReversed,
    "TERMINAL_REFERENCE_REUSED": TerminalReferenceReused,
    "REVERSAL_WINDOW_PASSED": ReversalWindowPassed,
    "ORDER_NOT_PAID": OrderNotPaid,
    "REFUND_EXCEEDS_PAYMENT": RefundExceedsPayment,
    "REFUND_NUMBER_REUSED": RefundNumberReused,
    "REFUND_WINDOW_PASSED": RefundWindowPassed,
    "CODE_MALFORMED": CodeMalformed,
    "CODE_UNKNOWN_SCHEME": CodeUnknownScheme,
    "CODE_OF_ORDER": CodeOfOrder,
    "CODE_INVALID": CodeInvalid,
    "CODE_EXPIRED": CodeExpired,
    "CODE_USED": CodeUsed,
    "CODE_BUDGET_SPENT": CodeBudgetSpent,
    "PAYER_STATE": PayerState,
    "TERMINAL_BUSY": TerminalBusy,
    "SHIFT_OPEN": ShiftOpen,
    "SHIFT_NOT_FOUND": ShiftNotFound,
    "PAYER_CODE_NOT_FOUND": PayerCodeNotFound,
    "OFFLINE_KEY_NOT_FOUND": OfflineKeyNotFound,
    "OFFLINE_KEY_REVOKED": OfflineKeyRevoked,
    "OFFLINE_SIGNATURE_INVALID": OfflineSignatureInvalid,
    "OFFLINE_OUT_OF_ORDER": OfflineOutOfOrder,
    "OFFLINE_SALE_REUSED": OfflineSaleReused,
    "OFFLINE_WINDOW_PASSED": OfflineWindowPassed,
    "OFFLINE_TIME_AHEAD": OfflineTimeAhead,
    "OFFLINE_LIMIT_EXCEEDED": OfflineLimitExceeded,
    "OFFLINE_BUDGET_SPENT": OfflineBudgetSpent,
    "TIP_MISMATCH": TipMismatch,
    "TIP_LIMIT_EXCEEDED": TipLimitExceeded,
    "COMBINED_ORDER_NOT_FOUND": CombinedOrderNotFound,
    "COMBINED_NUMBER_REUSED": CombinedNumberReused,
    "ORDER_COMBINED": OrderCombined,
    "PLAN_DATE_PASSED": PlanDatePassed,
    "SETTLEMENT_NOT_FOUND": SettlementNotFound,
    "RECEIVER_NOT_FOUND": ReceiverNotFound,
    "RECEIVER_STATE_CONFLICT": ReceiverStateConflict,
    "RECEIVER_NOT_ALLOWED": ReceiverNotAllowed,
    "SHARING_NOT_FOUND": SharingNotFound,
    "SHARING_EXISTS": SharingExists,
    "SHARING_ENDED": SharingEnded,
    "SHARING_WINDOW_PASSED": SharingWindowPassed,
    "SHARE_CAP_EXCEEDED": ShareCapExceeded,
    "SHARE_EXCEEDS_HELD": ShareExceedsHeld,
    "SHARE_LIMIT_REACHED": ShareLimitReached,
    "SHARE_NUMBER_REUSED": ShareNumberReused,
    "SHARE_NOT_FOUND": ShareNotFound,
    "SHARE_RETURN_EXCEEDS": ShareReturnExceeds,
    "PAYOUT_NOT_FOUND": PayoutNotFound,
    "PAYOUT_ACCOUNT_NOT_FOUND": PayoutAccountNotFound,
    "PAYOUT_ACCOUNT_ACTIVE": PayoutAccountActive,
    "BILL_NOT_READY": BillNotReady,
    "ENDPOINT_NOT_FOUND": EndpointNotFound,
    "ENDPOINT_URL_REFUSED": EndpointUrlRefused,
    "ENDPOINT_LIMIT_REACHED": EndpointLimitReached,
    "DELIVERY_NOT_FOUND": DeliveryNotFound,
    "MANDATE_NOT_FOUND": MandateNotFound,
    "MANDATE_NUMBER_REUSED": MandateNumberReused,
    "MANDATE_STATE_CONFLICT": MandateStateConflict,
    "MANDATE_NOT_ACTIVE": MandateNotActive,
    "MANDATE_CAP_EXCEEDED": MandateCapExceeded,
    "MANDATE_NOTICE_REQUIRED": MandateNoticeRequired,
    "ORDER_NOT_AUTHORIZED": OrderNotAuthorized,
    "ORDER_AUTHORIZED": OrderAuthorized,
    "CAPTURE_EXCEEDS_AUTHORIZATION": CaptureExceedsAuthorization,
    "CAPTURE_NUMBER_REUSED": CaptureNumberReused,
    "INCREMENT_LIMIT_REACHED": IncrementLimitReached,
    "ENDPOINT_DISABLED": EndpointDisabled,
    "FX_FEED_INVALID": FxFeedInvalid,
    "FX_RATE_NOT_FOUND": FxRateNotFound,
    "FX_RATE_STALE": FxRateStale,
    "FX_RATE_JUMP": FxRateJump,
    "FX_SAME_CURRENCY": FxSameCurrency,
    "FX_CURRENCY_NOT_TRADABLE": FxCurrencyNotTradable,
    "FX_AMOUNT_TOO_SMALL": FxAmountTooSmall,
    "FX_AMOUNT_TOO_LARGE": FxAmountTooLarge,
    "FX_RATE_FROM_FUTURE": FxRateFromFuture,
    "FX_RATE_SUPERSEDED": FxRateSuperseded,
    "FX_QUOTE_NOT_FOUND": FxQuoteNotFound,
    "FX_QUOTE_EXPIRED": FxQuoteExpired,
    "FX_QUOTE_USED": FxQuoteUsed,
    "FX_QUOTE_CANCELLED": FxQuoteCancelled,
    "FX_RATE_MOVED": FxRateMoved,
    "FX_CONVERSION_NOT_FOUND": FxConversionNotFound,
    "FX_ORDER_LIMIT": FxOrderLimit,
    "FX_QUOTE_NEEDED": FxQuoteNeeded,
    "FX_POSITION_LIMIT": FxPositionLimit,
    "FX_CONVERSION_REVERSED": FxConversionReversed,
    "FX_REVERSAL_TOO_LATE": FxReversalTooLate,
    "FX_REVALUATION_EARLY": FxRevaluationEarly,
    "FX_REVALUATION_SUPERSEDED": FxRevaluationSuperseded,
    "FX_ALERT_NOT_FOUND": FxAlertNotFound,
    "FX_RATE_REACHED": FxRateReached,
    "FX_WAITING_LIMIT": FxWaitingLimit,
    "FX_LIMIT_ORDER_NOT_FOUND": FxLimitOrderNotFound,
    "FX_LIMIT_ORDER_ENDED": FxLimitOrderEnded,
    "FX_PAYEE_IS_PAYER": FxPayeeIsPayer,
    "FX_NOT_REVERSIBLE": FxNotReversible,
    "FX_REFERENCE_NEEDED": FxReferenceNeeded,
    "FX_QUOTA_EXCEEDED": FxQuotaExceeded,
    "FX_PROMOTION_NOT_FOUND": FxPromotionNotFound,
    "FX_PROMOTION_SPENT": FxPromotionSpent,
    "RULE_SET_NOT_FOUND": RuleSetNotFound,
    "RULE_SET_INVALID": RuleSetInvalid,
    "SCORECARD_INVALID": ScorecardInvalid,
    "RULE_SET_NOT_DRAFT": RuleSetNotDraft,
    "RULE_SET_CHANGED": RuleSetChanged,
    "RULE_SET_STATE": RuleSetState,
    "RULE_SET_NOT_TRIED": RuleSetNotTried,
    "RULE_SET_BLOCKS_TOO_MUCH": RuleSetBlocksTooMuch,
    "RULE_NOT_FOUND": RuleNotFound,
    "RULE_SNOOZE_LIMIT": RuleSnoozeLimit,
    "RISK_LIST_IMPORT_NOT_FOUND": RiskListImportNotFound,
    "RISK_LIST_IMPORT_CLOSED": RiskListImportClosed,
    "RISK_LIST_CHUNK_ORDER": RiskListChunkOrder,
    "RISK_LIST_TOO_LARGE": RiskListTooLarge,
    "RISK_LIST_INVALID": RiskListInvalid,
    "RISK_LIST_VALUE_INVALID": RiskListValueInvalid,
    "RISK_REJECTED": RiskRejected,
    "RISK_FROZEN": RiskFrozen,
    "DECISION_NOT_FOUND": DecisionNotFound,
    "DECISION_NOT_REPLAYABLE": DecisionNotReplayable,
    "FREEZE_NOT_FOUND": FreezeNotFound,
    "FREEZE_LIFTED": FreezeLifted,
    "FREEZE_NOT_REVOCABLE": FreezeNotRevocable,
    "FREEZE_EXISTS": FreezeExists,
    "TRANSFER_HELD_BY_RISK": TransferHeldByRisk,
    "CASE_NOT_FOUND": CaseNotFound,
    "CASE_CLOSED": CaseClosed,
    "CASE_EXISTS": CaseExists,
    "CASE_FULL": CaseFull,
    "NOTHING_TO_APPEAL": NothingToAppeal,
    "CASE_OF_OTHER_FREEZE": CaseOfOtherFreeze,
    "CASE_VERDICT_MISMATCH": CaseVerdictMismatch,
    "FACTOR_RESET_OPEN": FactorResetOpen,
    "FACTOR_RESET_EMPTY": FactorResetEmpty,
    "FACTOR_RESET_NOT_FOUND": FactorResetNotFound,
    "CLAIM_KEY_MISSING": ClaimKeyMissing,
    "KEY_CLAIM_REJECTED": KeyClaimRejected,
    "FACTOR_RESET_OTHER_DEVICE": FactorResetOtherDevice,
    "BILLER_NOT_FOUND": BillerNotFound,
    "BILLER_CLOSED": BillerClosed,
    "BILL_ACCOUNT_MALFORMED": BillAccountMalformed,
    "BILL_NUMBER_REUSED": BillNumberReused,
    "DUE_NOT_FOUND": DueNotFound,
    "DUE_NOT_PAYABLE": DueNotPayable,
    "BILL_LINK_NOT_FOUND": BillLinkNotFound,
    "BILL_LINK_LIMIT_REACHED": BillLinkLimitReached,
    "NOT_A_CHARITY": NotACharity,
    "DONATION_NOT_FOUND": DonationNotFound,
    "STORE_NOT_FOUND": StoreNotFound,
    "STORE_CLOSED": StoreClosed,
    "STORE_NUMBER_TAKEN": StoreNumberTaken,
    "STORE_UNREGISTERED": StoreUnregistered,
    "CASHIER_NOT_FOUND": CashierNotFound,
    "CASHIER_LEFT": CashierLeft,
    "CASHIER_NUMBER_TAKEN": CashierNumberTaken,
    "CASHIER_UNREGISTERED": CashierUnregistered,
    "OFFLINE_NOT_ENABLED": OfflineNotEnabled,
    "OFFLINE_BUDGET_TOO_LARGE": OfflineBudgetTooLarge,
}
"""The class of each reason of the contract."""
