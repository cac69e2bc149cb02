"""Health and readiness: whether this process should be sent calls.

Every service, and "" for the server as a whole, starts as NOT_SERVING, follows the readiness it is
told, and stays NOT_SERVING once draining has begun, whatever is told after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc.aio

OVERALL = ""
"""The name under which the health protocol asks for the server as a whole."""


class Health:
    """Answers the health protocol."""

    def __init__(self, services: Iterable[str]) -> None:
        """Begin NOT_SERVING for every service and for the server as a whole."""
        self._servicer = health_aio.HealthServicer()
        self._names = (OVERALL, *services)
        self._serving: bool | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """Serve the health protocol on a server that has not started yet."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def set_ready(self, *, ready: bool) -> None:
        """Turn SERVING or NOT_SERVING; free when nothing changes, no effect while draining."""
        if ready is self._serving:
            return
        self._serving = ready
        response = health_pb2.HealthCheckResponse
        status = response.SERVING if ready else response.NOT_SERVING
        for name in self._names:
            await self._servicer.set(name, status)

    async def begin_draining(self) -> None:
        """Turn NOT_SERVING for good."""
        await self._servicer.enter_graceful_shutdown()
