"""A case: what is sent, and which answers are right."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_server.transport.method import Method
    from tests.support.http2 import Header

CLASSES: Final = {
    "W": "framing of messages on the wire",
    "P": "protobuf encoding",
    "E": "enum values",
    "N": "numbers",
    "U": "texts",
    "I": "ids",
    "S": "injections",
    "Z": "sizes",
    "C": "compression",
    "H": "metadata",
    "R": "routing",
    "T": "tokens",
}
"""The classes of cases, by their letter."""

RESET: Final = "RESET"
"""The stream or the connection was broken off: an answer of gRPC's core, which may give it."""

CORE: Final = "CORE"
"""INTERNAL, said by gRPC's core of what it cannot decode: see `OF_THE_CORE`."""

OF_THE_CORE: Final = (
    "Error parsing '",
    "Illegal header key",
    "Metadata keys cannot be zero length",
    "Duplicate ':",
    "Compression bit set but no encoding configured",
    "Decompression failed",
)
"""How the core's texts begin for headers and compression that it cannot decode. The core answers
before, or over, anything of ours, and its answer is INTERNAL, as gRPC's table of status codes wants
it for compression. These are counted apart and allowed for nothing else."""

INVALID: Final = "INVALID_ARGUMENT"

SOUND: Final = frozenset(
    {"OK", "NOT_FOUND", "FAILED_PRECONDITION", "ALREADY_EXISTS", "ABORTED", INVALID}
)
"""What a request may be answered whose form is good, whatever it asks for."""

PROOFS: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
OF_THE_CALL: Final = frozenset(
    {"TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "PERMISSION_DENIED"}
)
"""Why a call is refused whatever its request is. Other reasons with these codes are about a secret
in the request, which may be as good in form as any."""

BUSY: Final = frozenset({"AdminService/VerifyLedger", "FactorsService/CreateBackupCodes"})
"""Methods that take long on purpose, a verification or ten slow hashes, and tell callers beyond the
few they can serve so: OVERLOADED. The corpus sends many at once."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The answers that are right."""

    codes: frozenset[str]
    """Names of status codes, or RESET."""
    reasons: frozenset[str] = frozenset()
    """Reasons that a refusal may have; none means any of the contract."""
    core: bool = False
    """Whether gRPC's core may answer, which knows no reasons."""


def refused(*reasons: str, code: str = INVALID) -> Expected:
    """A refusal of ours, for one of some reasons."""
    return Expected(frozenset({code}), frozenset(reasons))


def core(*codes: str) -> Expected:
    """An answer that may be the core's own; a broken stream is one too."""
    return Expected(frozenset({RESET, *codes}), core=True)


def undecodable(*codes: str) -> Expected:
    """As `core`, for headers and compression that the core may be unable to decode."""
    return core(CORE, *codes)


MALFORMED: Final = refused("MALFORMED_REQUEST")
BROKEN_RULE: Final = refused("INVALID_REQUEST")
ANY_SOUND: Final = Expected(SOUND)


@dataclass(frozen=True, slots=True)
class Raw:
    """What is sent by hand, below any library."""

    headers: tuple[Header, ...]
    """Every header, pseudo headers included."""
    frames: tuple[bytes, ...] = ()
    """Contents of the DATA frames."""
    ends: bool = True
    """Whether the last frame ends the stream."""
    acknowledges: bool = True
    """Whether the server's settings are acknowledged, as every client must."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to send."""

    kind: str
    """Letter of its class."""
    name: str
    """What it is, unique within the class."""
    method: Method
    """The method called, or, for raw cases, the one that the call resembles."""
    expected: Expected
    payload: bytes = b""
    """The message, unless it is sent by hand."""
    token: str | None = None
    """The token to call with, in full; None for a good one that may call the method."""
    raw: Raw | None = None
    echo: str = field(default="")
    """A text that has to come back unchanged when the stored thing is read."""

    @property
    def id(self) -> str:
        """Class and name."""
        return f"{self.kind}/{self.name}"


def request_id(*parts: str) -> str:
    """A request id that is a case's own, the same in every run."""
    return str(
        uuid.UUID(bytes=hashlib.md5("/".join(parts).encode(), usedforsecurity=False).digest())
    )


def unique(cases: Iterable[Case]) -> list[Case]:
    """The cases in a fixed order; two of one name are a mistake."""
    found: dict[str, Case] = {}
    for case in cases:
        assert case.id not in found, case.id
        found[case.id] = case
    return list(found.values())
