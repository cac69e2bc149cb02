"""The limits of webhooks: every one with its unit, its default and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """How one worker process posts to merchants."""

    webhook_timeout_s: float = 10.0
    """Seconds a receiver may take for one event before the attempt has failed."""
    webhook_parallel_max: int = 32
    """Receivers posted to at once; each is sent one event after the other, so that a slow one
    holds up only itself."""
    webhook_batch_max: int = 100
    """Events sent to a receiver before others have their turn."""
    webhook_failing_days: int = 5
    """Days without taking anything after which an endpoint is switched off."""
