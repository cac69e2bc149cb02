"""The limits of background work: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """How the jobs of one worker process work."""

    job_interval_ms: int = 500
    """Milliseconds between two rounds of jobs: how late something due may be noticed."""
    job_lease_ms: int = 15_000
    """Milliseconds that a process keeps a job of a book to itself without renewing: how long the
    job rests when that process dies."""
    job_items_max: int = 500
    """Items a job takes at a time: small enough that payments never wait for a job's batch."""
    job_rounds_max: int = 20
    """Such takes of one job in a round before the next job has its turn."""
    reply_kept_days: int = 30
    """Days that replies to requests are kept for callers who ask again; the ids are kept for
    ever."""
    verification_kept_days: int = 2
    """Days that codes sent, pairing codes and sign-ins begun are kept: they are good for minutes,
    and support is asked about them the next day."""
    session_kept_days: int = 30
    """Days that sessions are kept after their end, of customers and of staff: a refresh token that
    is used again later is told that its session was revoked, and the customer may ask which device
    it was. The audit trail keeps who did what for longer."""
    challenge_kept_days: int = 30
    """Days that challenges are kept which nobody approved, and codes sent for any of them."""
    approval_kept_days: int = 400
    """Days that challenges are kept which were approved and used: payers may dispute a payment for
    thirteen months (Directive (EU) 2015/2366 Art. 71), and the approval is the bank's proof."""
    message_kept_days: int = 30
    """Days that it is kept whether a message was delivered, when and why not; its content is
    deleted as soon as that is known."""
    webhook_kept_days: int = 30
    """Days that deliveries to merchants are listed and can be sent again; never fewer than the four
    in which they are tried and given up."""
