"""The gRPC service config of the contract, for this client and for plain stubs in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longmen_client._config import RetryPolicy
from longmen_client._methods import Method, describe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import ServiceDescriptor


def service_config(
    services: Iterable[ServiceDescriptor], retry: RetryPolicy | None = None
) -> dict[str, Any]:
    """A row for each method: its longest deadline and, where a repetition is safe, its retries.

    Retries are for UNAVAILABLE only, which is what gRPC's own machinery can do safely. It cannot
    obey google.rpc.RetryInfo, so this client sends its repetitions itself and switches gRPC's
    off.
    """
    policy = retry or RetryPolicy()
    methods = [
        describe(method)
        for service in sorted(services, key=lambda service: service.full_name)
        for method in service.methods
    ]
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [_method_config(method, policy) for method in methods],
        "retryThrottling": {
            "maxTokens": policy.budget_tokens,
            "tokenRatio": policy.budget_refill_permille / 1000,
        },
    }


def _method_config(method: Method[Any, Any], policy: RetryPolicy) -> dict[str, Any]:
    service_name, _, method_name = method.name.partition("/")
    config: dict[str, Any] = {
        "name": [{"service": service_name, "method": method_name}],
        "timeout": _seconds(method.maximum_deadline_ms),
    }
    if method.repeatable and not method.streams and policy.max_attempts > 1:
        config["retryPolicy"] = {
            "maxAttempts": policy.max_attempts,
            "initialBackoff": _seconds(policy.initial_backoff_ms),
            "maxBackoff": _seconds(policy.max_backoff_ms),
            "backoffMultiplier": policy.backoff_multiplier,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
    return config


def _seconds(milliseconds: int) -> str:
    """A duration as protobuf's JSON has it."""
    return f"{milliseconds / 1000:g}s"
