"""The rules of challenges: what needs approval by what, and what an approval is bound to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.factors.model import FactorKind, bit, kinds_of
from longmen_server.platform.ids import CHALLENGE, AccountId, ChallengeId, CustomerId
from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = [
    "NOTHING",
    "ChallengeRow",
    "ChallengeState",
    "Decision",
    "Intent",
    "KnownPayeeKey",
    "KnownPayeeRow",
    "Operation",
    "Policy",
    "Rule",
    "Version",
    "stronger",
]


class Operation(IntEnum):
    """What is to be approved; numbers as in the contract."""

    TRANSFER = 1
    WITHDRAWAL = 2
    BATCH = 3
    FACTOR_CHANGE = 4
    PURCHASE = 5
    DEVICE_ENROLMENT = 6
    UNFREEZE = 7
    MANDATE = 8
    CONVERSION = 9
    LIMIT_RAISE = 20


PROTECTING: Final = frozenset(
    {
        Operation.FACTOR_CHANGE,
        Operation.DEVICE_ENROLMENT,
        Operation.UNFREEZE,
        Operation.LIMIT_RAISE,
    }
)
"""Operations that change what protects the wallet: approved with what there is, free while there is
nothing yet."""


class ChallengeState(IntEnum):
    """Where a challenge stands; numbers as in the contract."""

    PENDING = 1
    APPROVED = 2
    USED = 3
    VOID = 4
    DECLINED = 5
    EXPIRED = 6


OPEN_STATES: Final = frozenset({ChallengeState.PENDING, ChallengeState.APPROVED})
VALID_S_MAX: Final = 300
"""Longest life of a challenge that a policy may set: five minutes."""
PASSKEY_WORTH: Final = 2
"""Factors that a passkey counts for: it is had, and unlocked by what its owner is or knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What one request is going to do, in all that its approval is bound to."""

    operation: Operation
    text: str
    """What the customer is shown."""
    amount: int = 0
    """Minor units that leave the wallet; 0 where no money moves."""
    currency_code: str = ""
    payee: str = ""
    """As the text names it."""
    payee_id: AccountId | None = None
    """The payee's account, where there is one of ours."""

    def digest(self, content: bytes) -> bytes:
        """Return 32 bytes over the intent and the fingerprint of the request's whole content."""
        parts = (
            content,
            bytes([self.operation]),
            self.amount.to_bytes(8, "big"),
            self.currency_code.encode(),
            self.payee.encode(),
            self.payee_id or b"",
            self.text.encode(),
        )
        return sha256(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).digest()


@dataclass(slots=True)
class ChallengeRow:
    """One challenge."""

    challenge_id: ChallengeId
    customer_id: CustomerId
    request_key: bytes
    """Digest of who asked for what under which request id, 16 bytes."""
    operation: int
    state: int
    factors_needed: int
    methods: int
    """Bits of the kinds that count."""
    approved: int
    """Bits of the kinds that have approved."""
    amount: int
    created_at_us: int
    expires_at_us: int
    changed_at_us: int
    content: bytes
    """Intent.digest of what it was made for."""
    currency_code: str
    payee: str
    text: str

    def copy(self) -> ChallengeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    def is_expired(self, now_us: int) -> bool:
        """Whether its time is over."""
        return now_us >= self.expires_at_us

    def standing(self, now_us: int) -> ChallengeState:
        """Return where it stands now."""
        if self.state in OPEN_STATES and self.is_expired(now_us):
            return ChallengeState.EXPIRED
        return ChallengeState(self.state)

    @property
    def passkey_challenge(self) -> bytes:
        """What a passkey signs: 32 bytes over everything the approval is bound to."""
        label = b"longmen.challenge.v1\x00"
        return sha256(label + self.challenge_id + self.content + self.text.encode()).digest()


CODE_TRIES_MAX: Final = 5
"""Wrong codes that a code by message takes; a right one uses it up."""


@dataclass(slots=True)
class CodeRow:
    """The code by message of one challenge."""

    challenge_id: ChallengeId
    customer_id: CustomerId
    channel: int
    tries: int
    sent_at_us: int
    expires_at_us: int
    digest: bytes
    """Keyed digest of the code."""

    def copy(self) -> CodeRow:
        """Return a copy, so that a refused command leaves the original as it was."""
        return replace(self)

    def is_good(self, now_us: int) -> bool:
        """Whether the code, if it is right, approves."""
        return self.tries < CODE_TRIES_MAX and now_us < self.expires_at_us


def is_enough(approved: int, needed: int) -> bool:
    """Whether the kinds that have approved are as many factors as needed."""
    worth = approved.bit_count()
    if approved & bit(FactorKind.PASSKEY):
        worth += PASSKEY_WORTH - 1
    return worth >= needed


class KnownPayeeKey(NamedTuple):
    """Who pays whom."""

    customer_id: CustomerId
    account_id: AccountId


@dataclass(slots=True, frozen=True)
class KnownPayeeRow:
    """A payee that a customer has paid with approval; it never changes."""

    customer_id: CustomerId
    account_id: AccountId
    created_at_us: int


# -- The policy.

MILLION: Final = 1_000_000
BANDS: Final = ("small", "medium", "large")
PAYEES: Final = ("known", "new")
ALLOWANCES: Final = ("left", "used")
ANY: Final = "any"


class Decision(NamedTuple):
    """What has to approve."""

    factors: int
    """How many; 0 lets it through."""
    methods: int
    """Bits of the kinds that count."""


NOTHING: Final = Decision(0, 0)
"""What lets everything through."""


def stronger(one: Decision, other: Decision) -> Decision:
    """Return what satisfies both of two decisions; it may be more than anything can."""
    if not one.factors or not other.factors:
        return one if one.factors else other
    return Decision(max(one.factors, other.factors), one.methods & other.methods)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the policy."""

    operation: str
    payee: str
    band: str
    allowance: str
    decision: Decision

    def fits(self, operation: Operation, payee: str, band: str, allowance: str) -> bool:
        """Whether the line is for such a case."""
        return (
            self.operation in (ANY, operation.name.lower())
            and self.payee in (ANY, payee)
            and self.band in (ANY, band)
            and self.allowance in (ANY, allowance)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The policy from one day on."""

    effective_from: date
    valid_s: int
    exempt_in_a_row: int
    small_up_to: Mapping[str, int]
    large_above: Mapping[str, int]
    rules: tuple[Rule, ...]
    sign_in: tuple[int, ...]
    """Bits of the kinds that sign a new device in, beside the code by phone: of the first entry of
    which the customer has any, one is needed."""
    sign_in_instead: int
    """Bits of the kinds that stand in for those."""
    cooling_us: int
    """How long a new device may send little money."""
    cooling_up_to: Mapping[str, int]
    """How much it may send in that time in all, in each currency alone; nothing in any other."""

    def band(self, amount: int, currency_code: str) -> str:
        """Return how large an amount is."""
        if not currency_code:
            return "small"
        if amount > self.large_above.get(currency_code, 0):
            return "large"
        return "small" if amount <= self.small_up_to.get(currency_code, 0) else "medium"

    def decide(self, intent: Intent, *, is_known: bool, exempt_count: int) -> Decision:
        """Return what has to approve an intent."""
        payee = "known" if is_known else "new"
        allowance = "left" if exempt_count < self.exempt_in_a_row else "used"
        band = self.band(intent.amount, intent.currency_code)
        return self.look_up(intent.operation, payee, band, allowance)

    def sign_in_methods(self, kinds: int) -> int:
        """Return what can sign a new device in of a customer with such factors; 0 needs none."""
        for entry in self.sign_in:
            if entry & kinds:
                return (entry | self.sign_in_instead) & kinds
        return 0

    def cooling_share(self, amount: int, currency_code: str) -> int:
        """Return how much of what a new device may send an amount is, in millionths, rounded up."""
        most = self.cooling_up_to.get(currency_code, 0)
        return -(-amount * MILLION // most) if most else MILLION + 1

    def look_up(self, operation: Operation, payee: str, band: str, allowance: str) -> Decision:
        """Return what the first rule that fits says."""
        for rule in self.rules:
            if rule.fits(operation, payee, band, allowance):
                return rule.decision
        raise AssertionError("a policy has a rule for every case; checked when it was read")


@dataclass(frozen=True, slots=True)
class Policy:
    """Every version of the policy, oldest first."""

    versions: tuple[Version, ...]

    def at(self, day: date) -> Version:
        """Return the version of a day; before the first one the first holds."""
        found = self.versions[0]
        for version in self.versions:
            if version.effective_from <= day:
                found = version
        return found


# -- Refusals.


class NeedsAuth(Refusal):
    """The request has to be approved first; it brings the challenge along."""

    def __init__(self, row: ChallengeRow, *, is_new: bool) -> None:
        """Refuse with a challenge, which is kept if it is new."""
        super().__init__(
            "NEEDS_AUTH",
            "the request has to be approved",
            metadata={
                "challenge_id": CHALLENGE.encode(row.challenge_id),
                "methods": method_names(row.methods),
                "expire_time": str(row.expires_at_us),
            },
        )
        self.final = False
        self.row = row
        self.is_new = is_new


class ContentChanged(Refusal):
    """The request came again with another content than its challenge was made for."""

    def __init__(self, challenge_id: ChallengeId) -> None:
        """Refuse for good."""
        super().__init__(
            "CHALLENGE_CONTENT_CHANGED",
            "the request is not the one its challenge was made for",
            metadata={"challenge_id": CHALLENGE.encode(challenge_id)},
        )


def method_names(methods: int) -> str:
    """Return kinds by name, separated by commas, in the order of their numbers."""
    return ",".join(kind.name for kind in kinds_of(methods))


def step_up_unavailable(decision: Decision) -> Refusal:
    """Return the refusal of a customer who has not set up enough to approve with."""
    refusal = Refusal(
        "STEP_UP_UNAVAILABLE",
        "the request has to be approved, and too little is set up to approve it with",
        metadata={
            "methods": method_names(decision.methods),
            "factors_needed": str(decision.factors),
        },
    )
    refusal.final = False
    return refusal


def device_cooling(currency_code: str, left: int, cooling_until_us: int) -> Refusal:
    """Return the refusal of more money than a new device may send."""
    return Refusal(
        "DEVICE_COOLING",
        "the device is new and may not send as much yet",
        metadata={
            "currency_code": currency_code,
            "left_minor_units": str(left),
            "cooling_until": str(cooling_until_us),
        },
    )


def email_not_proven() -> Refusal:
    """Return the refusal of a code to an address that nobody has proven to read."""
    refusal = Refusal(
        "EMAIL_NOT_PROVEN",
        "the e-mail address of the profile is not proven",
        field="channel",
    )
    refusal.final = False
    return refusal


def challenge_not_found(challenge_id: ChallengeId) -> Refusal:
    """Return the refusal of a challenge that is not there, or another's."""
    return Refusal(
        "CHALLENGE_NOT_FOUND",
        "no such challenge",
        metadata={"challenge_id": CHALLENGE.encode(challenge_id)},
        field="challenge_id",
    )


def check_open(row: ChallengeRow, now_us: int) -> None:
    """Refuse a challenge that can no longer be approved.

    Raises:
        Refusal: CHALLENGE_EXPIRED, CHALLENGE_CLOSED.
    """
    standing = row.standing(now_us)
    challenge_id = CHALLENGE.encode(row.challenge_id)
    if standing == ChallengeState.EXPIRED:
        raise Refusal(
            "CHALLENGE_EXPIRED",
            "the challenge was not approved in time",
            metadata={"challenge_id": challenge_id},
        )
    if standing not in OPEN_STATES:
        raise Refusal(
            "CHALLENGE_CLOSED",
            "the challenge is closed",
            metadata={"challenge_id": challenge_id, "state": standing.name},
        )


def check_method(row: ChallengeRow, kind: int) -> None:
    """Refuse a method that the challenge does not take.

    Raises:
        Refusal: METHOD_NOT_ACCEPTED.
    """
    if not row.methods & bit(kind):
        raise method_not_accepted(row.methods)


def method_not_accepted(methods: int) -> Refusal:
    """Return the refusal of a method that is not among those taken."""
    return Refusal(
        "METHOD_NOT_ACCEPTED",
        "other methods are taken here",
        metadata={"methods": method_names(methods)},
    )
