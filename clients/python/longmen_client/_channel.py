"""Channel options and call metadata, the same for both stacks."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import grpc

from longmen.type.v1 import policy_pb2
from longmen_client._config import is_local
from longmen_client.contract import service_config_json
from longmen_client.signing import signature_metadata

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_client._config import CallOptions, Config, Tls
    from longmen_client._methods import Method

REPLAYED_TRAILER = "request-replayed"
"""Trailer of a reply that was given before."""


def channel_options(config: Config) -> list[tuple[str, str | int]]:
    """Options of every channel of a client."""
    return [
        ("grpc.service_config", service_config_json()),
        # Repetitions are sent by the client: gRPC's own would multiply them and cannot read
        # RetryInfo.
        ("grpc.enable_retries", 0),
        # Each channel gets a connection of its own instead of sharing one with its siblings.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.keepalive_time_ms", config.keepalive_ms),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 0),
        # The default first reconnect comes after a second, longer than most restarts of a worker.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.max_receive_message_length", config.maximum_reply_bytes),
        ("grpc.primary_user_agent", user_agent(config)),
        # A proxy of the environment is for the world outside, not for this machine.
        ("grpc.enable_http_proxy", 0 if is_local(config.target) else 1),
        *server_name_options(config.tls),
    ]


def server_name_options(tls: Tls | None) -> list[tuple[str, str | int]]:
    """The option that expects another name in the server's certificate."""
    if tls is None or not tls.server_name:
        return []
    return [("grpc.ssl_target_name_override", tls.server_name)]


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """Credentials of an encrypted channel."""
    return grpc.ssl_channel_credentials(tls.ca_pem, tls.private_key_pem, tls.certificate_pem)


def user_agent(config: Config) -> str:
    """Name and version of the program and of this client."""
    try:
        own = f"longmen-client/{version('longmen-client')}"
    except PackageNotFoundError:  # Run from a source tree that is not installed.
        own = "longmen-client"
    return f"{config.application} {own}".strip()


def call_metadata(
    config: Config,
    options: CallOptions,
    token: str,
    method: Method[Any, Any],
    request: Message,
) -> tuple[tuple[str, str], ...]:
    """Metadata of one attempt; signed, or with a proof, where the client has a key."""
    pairs = {**config.metadata, **options.metadata}
    if token:
        pairs["authorization"] = f"Bearer {token}"
        if config.device_key is not None:
            proof = config.device_key.proof(method.path, token, request.SerializeToString())
            pairs["dpop"] = proof
    if config.key is not None:
        pairs["authorization"] = f"Key {config.key.credential}"
        if method.idempotency != policy_pb2.IDEMPOTENCY_CLASS_READ_ONLY:
            # gRPC serialises the same message again, to the same bytes.
            payload = request.SerializeToString()
            pairs.update(signature_metadata(config.key, method.path.removeprefix("/"), payload))
    return tuple(pairs.items())
