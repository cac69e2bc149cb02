"""From an error to one line and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
import rich_click as click

if TYPE_CHECKING:
    from longmen_client import LongmenError

BROKEN = 1
WRONG_USAGE = 2
REFUSED = 3
NOT_ALLOWED = 4
UNAVAILABLE = 5
OUTCOME_UNKNOWN = 6
FINDINGS = 7
INTERRUPTED = 130
"""Ctrl-C, as shells have it: the usual end of a watch."""

EXIT_CODES = f"""\
Exit codes: 0 done · {BROKEN} broken · {WRONG_USAGE} wrong usage · {REFUSED} refused by the server ·
{NOT_ALLOWED} not allowed · {UNAVAILABLE} server not reachable or too slow ·
{OUTCOME_UNKNOWN} outcome not known, ask again with the same request id ·
{FINDINGS} findings or mismatches"""

_BY_CODE = {
    grpc.StatusCode.UNAUTHENTICATED: NOT_ALLOWED,
    grpc.StatusCode.PERMISSION_DENIED: NOT_ALLOWED,
    grpc.StatusCode.UNAVAILABLE: UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: UNAVAILABLE,
    grpc.StatusCode.CANCELLED: UNAVAILABLE,
    grpc.StatusCode.INTERNAL: BROKEN,
    grpc.StatusCode.UNKNOWN: BROKEN,
}

_FACTS_HIDDEN = frozenset({"rules", "message"})
"""Metadata that repeats what the message or the fields say."""


def fail(text: str, code: int) -> NoReturn:
    """End the program with one line on standard error and an exit code."""
    click.secho(f"longmen: {text}", fg="red", err=True)
    raise SystemExit(code)


def exit_code(error: LongmenError) -> int:
    """The exit code for an error."""
    if error.outcome_unknown:
        return OUTCOME_UNKNOWN
    return _BY_CODE.get(error.details.code, REFUSED)


def one_line(error: LongmenError, target: str) -> str:
    """Reason, message, facts and fields of an error on one line."""
    details = error.details
    if details.code is grpc.StatusCode.UNAVAILABLE and not details.reason:
        words = [f"no server answers at {target}"]
    else:
        words = [f"{details.reason or details.code.name}: {details.message}"]
    facts = [
        f"{key}={value}"
        for key, value in sorted(details.metadata.items())
        if key not in _FACTS_HIDDEN and value not in details.message
    ]
    if facts:
        words.append(f"({', '.join(facts)})")
    words += [
        f"[{one.field}: {one.description}]"
        for one in details.field_violations
        if one.description not in details.message
    ]
    if error.outcome_unknown:
        words.append(
            f"- whether it happened is not known: ask again with --request-id {error.request_id}"
        )
    return " ".join(" ".join(words).split())
