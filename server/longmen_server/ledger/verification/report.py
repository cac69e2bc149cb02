"""What a verification says: progress, findings and a summary; and the kinds of finding there are.

docs/operations.md lists the kinds with these words; a test keeps the two the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

FINDINGS_LISTED_MAX: Final = 100
"""Findings of one kind that are listed; all are counted. Whoever broke a whole table need not be
told of each row."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come."""

    check: str
    """Name of the check."""
    done: int
    """Rows done."""
    total: int
    """Rows in all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant."""

    kind: str
    """A key of `KINDS`."""
    subject: str
    """The row that breaks it."""
    detail: str
    """What was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a verification."""

    finding_count: int
    """Findings in all, listed or not; zero means that the book is proven."""
    counts: dict[str, int]
    """Findings of each kind that was found, listed or not."""
    account_count: int
    """Accounts in the snapshot."""
    posting_count: int
    """Postings in the snapshot."""
    block_count: int
    """Blocks of all journals in the snapshot."""
    event_count: int
    """Events in the snapshot."""
    duration_ms: int
    """How long it took, in milliseconds."""
    read_at_us: int
    """When the snapshot was taken, in microseconds since the epoch."""


Report: TypeAlias = Progress | Finding | Summary


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of finding."""

    meaning: str
    """What is wrong."""
    action: str
    """What an operator does first."""


_FREEZE = "Freeze the account; compare its postings with receipts or an exported journal."
_RESTORE = "Compare with a backup or an exported journal from before; restore what differs."
_TAMPERED = "Treat as tampering: keep the data folder, find who had superuser access, restore."
_REPORT = "Keep the rows and report a bug: the server writes no such row."

KINDS: Final[dict[str, Kind]] = {
    "CURRENCY_UNBALANCED": Kind(
        "All debits of a currency differ from all its credits, posted or pending.",
        "Look at the other findings: an account's counter was changed.",
    ),
    "COUNTER_MISMATCH": Kind("A counter of an account is not what its postings make.", _FREEZE),
    "COUNTER_NEGATIVE": Kind("A counter of an account is below zero.", _FREEZE),
    "VERSION_MISMATCH": Kind("An account's version is not the number of its postings.", _FREEZE),
    "VERSION_GAP": Kind(
        "The versions of an account's postings are not 1, 2, 3 … without gap: one was removed,"
        " added or renumbered.",
        _FREEZE,
    ),
    "RUNNING_BALANCE_MISMATCH": Kind(
        "The balance that a posting remembers is not the one before it plus its amount.", _FREEZE
    ),
    "BOOKED_TIME_ORDER": Kind(
        "A posting is booked no later than the one before it on the same account.", _RESTORE
    ),
    "ACCOUNT_TIME_BEHIND": Kind(
        "An account's booked time lies before its last posting or its opening.", _RESTORE
    ),
    "FLOOR_BROKEN": Kind("An account has less available than its floor allows.", _FREEZE),
    "CEILING_BROKEN": Kind("An account holds more than its ceiling allows.", _FREEZE),
    "ACCOUNT_MISSING": Kind("Postings name an account that is not there.", _RESTORE),
    "CURRENCY_MISMATCH": Kind("A posting is in another currency than its account.", _RESTORE),
    "CURRENCY_UNKNOWN": Kind("An account is in a currency that ISO 4217 lacks.", _RESTORE),
    "CHART_CODE_UNKNOWN": Kind(
        "An account has a code that the chart of accounts lacks.",
        "If the chart lost a line, put it back; otherwise restore the account.",
    ),
    "ACCOUNT_TYPE_MISMATCH": Kind(
        "An account stands on another side of the books than its chart code.", _RESTORE
    ),
    "ACCOUNT_STATE_MISMATCH": Kind(
        "An account's state is unknown, or is not what its last event says.", _RESTORE
    ),
    "ACCOUNT_CONTENT_MISMATCH": Kind(
        "An account differs from what was opened: currency, chart code, owner, floor or ceiling.",
        _TAMPERED,
    ),
    "ACCOUNT_FREEZE_MISMATCH": Kind(
        "An account is frozen by its owner where its last event says by the bank, or the reverse:"
        " customers lift their own freezes.",
        "Freeze the account again as the bank; look for who can write the database.",
    ),
    "CLOSED_NOT_EMPTY": Kind("A closed account has money or holds.", _FREEZE),
    "BOOK_MISMATCH": Kind("A row stands in another book than its id says.", _RESTORE),
    "POSTING_MALFORMED": Kind(
        "A posting has an amount, kind, time or links that no posting can have.", _RESTORE
    ),
    "ORDINAL_GAP": Kind(
        "The postings of a transaction are not numbered 0, 1, 2 …: one is missing.", _RESTORE
    ),
    "HOLD_MISSING": Kind("A pending posting has no hold.", _RESTORE),
    "HOLD_WITHOUT_POSTING": Kind(
        "A hold has no pending posting, or differs from it in accounts, currency or amount.",
        _RESTORE,
    ),
    "HOLD_AMOUNT_MISMATCH": Kind(
        "What a hold has captured or left is not what its postings make.", _FREEZE
    ),
    "HOLD_STATE_MISMATCH": Kind(
        "A hold's state contradicts its postings, or it expired before its time.", _RESTORE
    ),
    "HOLD_REFERENCE_BROKEN": Kind(
        "A capture, void or expiry names no hold, or one between other accounts.", _RESTORE
    ),
    "REVERSAL_MISMATCH": Kind(
        "A reversal and its postings do not belong together, or are not equal and opposite.",
        _RESTORE,
    ),
    "REFUSED_ID_CREATED": Kind(
        "A transaction exists whose id was refused before.",
        "Ask the caller which answer it got; reverse the transaction if it was told no.",
    ),
    "EVENT_MISSING": Kind("A posting or an account has no event of its making.", _TAMPERED),
    "EVENT_DUPLICATE": Kind("A posting or an account has more than one such event.", _TAMPERED),
    "EVENT_MISMATCH": Kind("An event's type or time differs from the row it is about.", _TAMPERED),
    "EVENT_SUBJECT_MISSING": Kind("An event is about a row that is not there.", _TAMPERED),
    "EVENT_GAP": Kind("A writer's events are not numbered without gaps.", _TAMPERED),
    "EVENT_BEYOND_JOURNAL": Kind("Events come after their writer's last block.", _TAMPERED),
    "BLOCK_GAP": Kind("A writer's blocks are not numbered without gaps.", _TAMPERED),
    "BLOCK_CHAIN_BROKEN": Kind("A block does not name the hash of the one before.", _TAMPERED),
    "BLOCK_RANGE_MISMATCH": Kind(
        "A block does not begin where the one before ended, or lacks events.", _TAMPERED
    ),
    "BLOCK_ROOT_MISMATCH": Kind(
        "The events of a block, or the rows they are about, are not those it was made of.",
        _TAMPERED,
    ),
    "BLOCK_HASH_MISMATCH": Kind("A block's hash is not the hash of its fields.", _TAMPERED),
    "BLOCK_TIME_ORDER": Kind(
        "A block is no later than the one before, or earlier than an event in it.", _TAMPERED
    ),
    "WALLET_MISSING": Kind("An account or an event names a wallet that is not there.", _RESTORE),
    "WALLET_EVENT_MISMATCH": Kind(
        "A wallet has no event of its opening, or one of another time.", _TAMPERED
    ),
    "POCKET_MISSING": Kind("A wallet has no account at all, not even a closed one.", _RESTORE),
    "POCKET_MISMATCH": Kind(
        "A wallet's account is not in the ledger, or there of another owner, currency or time.",
        _RESTORE,
    ),
    "POCKET_STATE_MISMATCH": Kind(
        "A wallet's account is closed, and in the ledger it is not.", _FREEZE
    ),
    "ALIAS_MISMATCH": Kind(
        "An alias points to no wallet or to another's, or a wallet has none.",
        "Stop transfers to the phone number: they may reach somebody else; then restore.",
    ),
    "KYC_STANDING_MISMATCH": Kind(
        "A customer's class of identification is not the one that its history ends with.",
        "Lower the class to the worst until the history is clear: it decides on limits.",
    ),
    "KYC_HISTORY_BROKEN": Kind(
        "The changes of a customer's class do not follow one another, or one is no such change.",
        _TAMPERED,
    ),
    "KYC_EVENT_MISMATCH": Kind(
        "A change of a customer's class has no event, or an event no change.", _TAMPERED
    ),
    "KYC_EVIDENCE_MISSING": Kind(
        "A customer has a class without the evidence that it needed when it was given.",
        "Lower the class until the evidence is there again; then restore.",
    ),
    "KYC_DOCUMENT_MISMATCH": Kind(
        "The wallets that a document is noted for are not those that rest on it.", _RESTORE
    ),
    "TRANSFER_POSTING_MISMATCH": Kind(
        "A transfer has no posting of its kind, or no hold.", _RESTORE
    ),
    "TRANSFER_STATE_MISMATCH": Kind(
        "A transfer has ended otherwise than its money did, or its state is unknown.", _RESTORE
    ),
    "TRANSFER_SETTLEMENT_MISSING": Kind(
        "What a transfer says that it was settled by did not settle it.", _RESTORE
    ),
    "CHALLENGE_CODE_STRAY": Kind(
        "A code by message belongs to no challenge that takes one, or outlives it.", _TAMPERED
    ),
    "TRANSFER_EVENT_MISMATCH": Kind(
        "A transfer's last change has no event, or an event no transfer.", _TAMPERED
    ),
    "BRANCH_MISMATCH": Kind(
        "A customer is of another branch than was assigned last, or the customer is not there.",
        "Assign the branch again; look for who can write the database.",
    ),
    "STAFF_EVENT_MISSING": Kind(
        "An account of staff has no event of its making: nobody has approved it.",
        "Suspend the account, read the audit trail, and look for who can write the database.",
    ),
    "KEY_MISMATCH": Kind(
        "An API key or certificate is not what its last event tells, or no event tells of it.",
        "Revoke it, read the audit trail for its calls, and look for who can write the database.",
    ),
    "STAFF_SESSION_MISMATCH": Kind(
        "A session goes on whose account of staff is not there or not active.", _TAMPERED
    ),
    "PROPOSAL_SELF_DECIDED": Kind(
        "A proposal was decided by the person who made it, or by nobody.", _TAMPERED
    ),
    "FACTOR_RESET_MISMATCH": Kind(
        "A reset of a customer's factors is not what its last event tells, or could not be so.",
        "Cancel it and have the customer told; read the audit trail for who approved it.",
    ),
    "FACTOR_RESET_INEFFECTIVE": Kind(
        "A reset of a customer's factors has taken effect, and a factor or device is still there.",
        "Revoke the customer's devices and sessions; have the factors reset again.",
    ),
    "INSTRUCTION_MISSING": Kind(
        "A withdrawal has no instruction to the clearing.",
        "Ask the clearing whether it paid; then capture or void the hold.",
    ),
    "INSTRUCTION_MISMATCH": Kind(
        "An instruction to the clearing differs from its posting: account, amount or currency.",
        "Stop the clearing's job before it sends more; compare with what the clearing got.",
    ),
    "INSTRUCTION_STATE_MISMATCH": Kind(
        "The clearing's answer was not followed by the ledger, or the state is unknown.", _RESTORE
    ),
    "ORDER_POSTING_MISMATCH": Kind(
        "What an order says that was paid is not what its movements came to.", _RESTORE
    ),
    "ORDER_REFUND_MISMATCH": Kind(
        "What an order says that went back is not what its movements came to.", _RESTORE
    ),
    "FEE_POSTING_MISMATCH": Kind(
        "An order's fee, or what was returned of it, is not what was booked.", _RESTORE
    ),
    "FEE_PLAN_MISMATCH": Kind(
        "An order's fee is not what its plan makes of the amount.",
        "Compare the plan with its approval and its event; correct the fee by hand.",
    ),
    "SETTLEMENT_SUM_MISMATCH": Kind(
        "A settlement, and so its bill, is not what the ledger has between its versions.",
        "Stop payouts by freezing the merchant's account; restore the settlement.",
    ),
    "SETTLEMENT_GAP": Kind(
        "A merchant's business dates leave movements out, or have some twice.", _RESTORE
    ),
    "SETTLEMENT_CARRY_MISMATCH": Kind(
        "What a settlement carries on is not carried in, net and paid together.", _RESTORE
    ),
    "SETTLEMENT_POSTING_MISMATCH": Kind(
        "A settlement and its payout do not belong together, or differ in amount.",
        "Ask the clearing what the merchant got; freeze the merchant's account meanwhile.",
    ),
    "ORDER_PAYMENT_MISMATCH": Kind(
        "An order is paid and its payment is missing or another one, or it is not and names one.",
        _RESTORE,
    ),
    "ORDER_STATE_MISMATCH": Kind(
        "What went back of an order is not what its refunds and its state say.", _RESTORE
    ),
    "REFUND_POSTING_MISMATCH": Kind(
        "A refund's posting or order is missing, or differs from it.", _RESTORE
    ),
    "ORDER_EVENT_MISMATCH": Kind(
        "An order's last change has no event, or an event no order.", _TAMPERED
    ),
    "TERMINAL_REFERENCE_MISMATCH": Kind(
        "A till's reference does not lead to its order, or an order not to its reference.", _RESTORE
    ),
    "ATTEMPT_MISMATCH": Kind(
        "A scan is of no order, or says that it paid one that it did not pay.", _RESTORE
    ),
    "OFFLINE_ACCEPTANCE_MISMATCH": Kind(
        "What was agreed on a merchant's sales without a network differs from its events.",
        _TAMPERED,
    ),
    "SHIFT_MISMATCH": Kind(
        "A shift is at no till of its merchant, or two of one till overlap.", _RESTORE
    ),
    "STORE_MISMATCH": Kind(
        "A store or a cashier is of no merchant, or in a state that it cannot be in.", _RESTORE
    ),
    "TILL_PLACE_MISMATCH": Kind(
        "A till takes its store for another, or for open when it is closed, or the reverse.",
        _RESTORE,
    ),
    "PAYER_CODE_MISMATCH": Kind(
        "A device that shows codes pays from an account that is not its owner's, or its state does"
        " not fit its secret.",
        "Revoke the device's codes; compare with a backup.",
    ),
    "TIP_POSTING_MISMATCH": Kind(
        "An order's tip, or what went back of it, is not what was booked.", _RESTORE
    ),
    "PAYOUT_MISMATCH": Kind(
        "A payout is not what its settlement came to, or in a state that it cannot be in.", _RESTORE
    ),
    "PAYOUT_POSTING_MISMATCH": Kind(
        "Payouts to merchants' bank accounts, or what came back, differ from what was posted.",
        _RESTORE,
    ),
    "PAYOUT_EVENT_MISMATCH": Kind("A payout is not where its last event says.", _TAMPERED),
    "PAYOUT_ACCOUNT_MISMATCH": Kind(
        "The bank account that a merchant is paid on is of no merchant, or in no state there is.",
        "Register the account again; treat as tampering until it is known who wrote it.",
    ),
    "SHARING_MISMATCH": Kind(
        "What is held of an order, its shares and what came back do not add up.", _RESTORE
    ),
    "SHARE_POSTING_MISMATCH": Kind(
        "A share, or what came back of one, differs from its posting.", _RESTORE
    ),
    "SHARES_HELD_MISMATCH": Kind(
        "The money held to be shared is not what orders have left of it.", _RESTORE
    ),
    "SHARING_EVENT_MISMATCH": Kind(
        "What is held of an order changed otherwise than its events tell.", _TAMPERED
    ),
    "RECEIVER_MISMATCH": Kind(
        "A receiver of shares is no merchant, or in a state that it cannot be in.", _RESTORE
    ),
    "COMBINED_ORDER_MISMATCH": Kind(
        "A combined order and its parts do not belong together, or are paid in part.", _RESTORE
    ),
    "OFFLINE_SALE_MISMATCH": Kind(
        "A sale that a till had stored is not what its key, its order and its payment say.",
        _RESTORE,
    ),
    "OFFLINE_EVENT_MISMATCH": Kind(
        "A till's stored sales are not those that its events tell.", _TAMPERED
    ),
    "OFFLINE_BUDGET_MISMATCH": Kind(
        "What was used of an offline budget is not what the sales come to.",
        "Set the budget to the sum of its sales.",
    ),
    "MANDATE_EVENT_MISMATCH": Kind(
        "A mandate's changes are not those that its events tell, or its state is unknown.",
        _TAMPERED,
    ),
    "DECISION_INVALID": Kind(
        "A decision of risk has an outcome that there is none, or contradicts the ledger about"
        " whether its movement was made.",
        _TAMPERED,
    ),
    "DECISION_EVENT_MISMATCH": Kind(
        "A decision of risk that was told is not there, or one was never told.", _TAMPERED
    ),
    "FREEZE_EVENT_MISMATCH": Kind(
        "A freeze's changes are not those that its events tell.", _TAMPERED
    ),
    "FREEZE_STATE_MISMATCH": Kind(
        "A party is free though a freeze is in force, or frozen without one.",
        "Freeze the party anew; compare its decisions with a backup.",
    ),
    "CASE_INVALID": Kind(
        "A case has no decision, contradicts itself, or was closed while risk goes on holding its"
        " money.",
        _TAMPERED,
    ),
    "CASE_NOTES_MISMATCH": Kind(
        "The notes on a case are not as many as the case counts.", _TAMPERED
    ),
    "CASE_EVENT_MISMATCH": Kind("A case's changes are not those that its events tell.", _TAMPERED),
    "SCREENING_MISSING": Kind(
        "The name in a customer's document was never looked up in the lists of names.", _RESTORE
    ),
    "SCREENING_CASE_MISMATCH": Kind(
        "A customer's screening waits for a case that is not open, or a case for no screening.",
        _TAMPERED,
    ),
    "SCREENING_MATCH_MISMATCH": Kind(
        "A match of a name has no case, or a case about a name no match.", _TAMPERED
    ),
    "RISK_HOLD_MISMATCH": Kind(
        "Money that risk holds has no decision, no transfer, or a transfer that went on.", _RESTORE
    ),
    "RISK_NOTICE_INVALID": Kind("A notice tells of no decision and no freeze.", _RESTORE),
    "RISK_SUBJECT_UNREADABLE": Kind(
        "What is counted of a subject cannot be read, so its features fail.",
        "Restore the row from a backup, or delete it: counting begins anew.",
    ),
    "BILLER_EVENT_MISMATCH": Kind(
        "A biller's changes are not those that its events tell, or its state is unknown.",
        _TAMPERED,
    ),
    "DUE_EVENT_MISMATCH": Kind(
        "A bill's changes are not those that its events tell, or its state is unknown.",
        _TAMPERED,
    ),
    "DUE_ORDER_MISMATCH": Kind(
        "A bill is paid by no order, or its order has another amount, merchant, payer or time.",
        _TAMPERED,
    ),
    "DONATION_MISMATCH": Kind(
        "A donation is not what its order and its event tell, or one of them is not there.",
        _TAMPERED,
    ),
    "AUTHORIZATION_MISMATCH": Kind(
        "What is authorized for an order is not what is held for it.", _RESTORE
    ),
    "CAPTURE_MISMATCH": Kind(
        "What was captured of an order is not what its holds and captures say.", _RESTORE
    ),
    "HOLD_NOT_RELEASED": Kind(
        "Money is held for an order that is authorized no longer, and nothing releases it.",
        "Add the order to order_release: the job gives the payer the money back.",
    ),
    "WEBHOOK_CURSOR_AHEAD": Kind(
        "Webhooks have read further than a journal goes: what comes next would not be told.",
        "Set the cursor back to the journal's last event; merchants drop what comes twice.",
    ),
    "WEBHOOK_DELIVERY_MISSING": Kind(
        "An event that webhooks have read was not queued for an endpoint that listened.",
        "Set the cursor back before the event; merchants drop what comes twice.",
    ),
    "WEBHOOK_STATE_UNKNOWN": Kind(
        "A webhook's delivery is in no state that it can be in.", _REPORT
    ),
    "FX_RATE_MISMATCH": Kind(
        "A currency is worth what was never observed.",
        "Deal in it no more; set the rate by two people, and look for what was dealt at it.",
    ),
    "FX_CONVERSION_MISMATCH": Kind(
        "A conversion differs from its quote or from what was booked for it.",
        "Compare quote, conversion and postings of the transaction; correct what the customer got"
        " by a reversal or a transaction.",
    ),
    "FX_REVERSAL_MISMATCH": Kind(
        "A conversion was taken back otherwise than told, or the ledger does not link it.",
        "Compare conversion, reversal and postings of both transactions; correct what the customer"
        " got by a transaction.",
    ),
    "FX_POSITION_MISMATCH": Kind(
        "A position differs from what all conversions in its currency come to.",
        "Deal in it no more; compare the conversions with the postings of the position's account.",
    ),
    "FX_REVALUATION_MISMATCH": Kind(
        "A revaluation does not add up, or is not what was booked for it.",
        "Compare the revaluation with the postings of its transaction; correct the result of the"
        " day by a transaction.",
    ),
    "FX_LIMIT_ORDER_MISMATCH": Kind(
        "A limit order does not hold its money, holds it too long, or is not what it became.",
        "Compare the order with its hold, whose transaction has the same number, and with its"
        " conversion; free what is held for nothing.",
    ),
    "FX_ALERT_MISMATCH": Kind(
        "An alert has told something without being said to, or the other way round.", _RESTORE
    ),
    "FX_QUOTA_MISMATCH": Kind(
        "What a customer has used of a year's quota is not what the conversions come to.",
        "Set the quota to the sum of the customer's conversions of the year.",
    ),
    "FX_AUTO_CONVERSION_MISMATCH": Kind(
        "What a payment exchanged by itself is not what was booked, or not what its day counts.",
        "Compare the payment with its conversion; set the day's sum to what the payments come to.",
    ),
    "FX_PROMOTION_MISMATCH": Kind(
        "What was spent of a promotion is not what its conversions come to, or more than there is.",
        "End the promotion; set what was spent to what the quotes that were used with it save.",
    ),
    "FX_QUOTE_MISMATCH": Kind(
        "A quote is used without a conversion, has one without being used, or is in no known"
        " state.",
        _RESTORE,
    ),
    "RISK_LIST_MISMATCH": Kind(
        "A list of risk is not what was imported: rows are missing, or its import is not"
        " committed.",
        "Import the list anew from its source, and look for who could change it.",
    ),
    "RISK_RULES_MISMATCH": Kind(
        "Rules of risk are not those of their digest: decisions of their version cannot be made"
        " again.",
        _TAMPERED,
    ),
    "RISK_RULES_VERSION_MISSING": Kind(
        "A version of the rules of risk is missing, or has no known cause.", _TAMPERED
    ),
    "RISK_RULE_SET_STATE_MISMATCH": Kind(
        "A set of rules is active or in shadow and the version that decides says otherwise.",
        _RESTORE,
    ),
    "LIMIT_COUNTER_MISMATCH": Kind(
        "The sum of a limit is not what was counted for its day and year.",
        "Set the sum to what the records say; look at what was let through or refused meanwhile.",
    ),
    "LIMIT_ENTRY_MISMATCH": Kind(
        "What a limit counted for a movement is not what was booked for it.",
        "Compare the record with the postings of the transaction; correct the record and its sums.",
    ),
    "LIMIT_ENTRY_MISSING": Kind(
        "An order was paid and limits did not count it.",
        "Count it again: add the record and its sums, and find out who removed it.",
    ),
    "LIMIT_OWN_MISMATCH": Kind(
        "A customer's own limit, or the type of an account, was never told.", _RESTORE
    ),
    "REQUEST_MALFORMED": Kind(
        "The stored content of a request has a length that no content has.", _REPORT
    ),
    "REQUEST_OUTCOME_UNKNOWN": Kind("The outcome of a request is neither yes nor no.", _REPORT),
    "REQUEST_REPLY_UNREADABLE": Kind(
        "A stored reply cannot be read: a retry of the request would fail.", _RESTORE
    ),
    "REQUEST_TIME_AHEAD": Kind(
        "A request was decided later than the clock shows.",
        "Check the server's clock; with a test clock, name its folder with --data.",
    ),
}
