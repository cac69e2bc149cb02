"""A process listens several times on its port, and stops listening everywhere at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from longmen_server.platform.metrics import Metrics
from longmen_server.transport.server import Surroundings, build_server
from longmen_server.transport.settings import EdgeSettings
from tests.support.edge import Tokens

if TYPE_CHECKING:
    from longmen_server.transport.server import EdgeServer

CONNECTIONS = 40


def build(doors: int) -> EdgeServer:
    surroundings = Surroundings(
        verifier=Tokens(), metrics=Metrics(), monotonic=lambda: 0.0, now_us=lambda: 0
    )
    settings = EdgeSettings(address="127.0.0.1:0", readiness_delay_s=0.0, doors=doors)
    return build_server({}, settings=settings, surroundings=surroundings)


def listening(port: int) -> int:
    return sum(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in psutil.Process().net_connections("tcp")
    )


async def ask(port: int, number: int) -> int:
    options = [("grpc.use_local_subchannel_pool", 1), ("longmen.test.channel", number)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        reply = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=5
        )
    return int(reply.status)


@pytest.mark.parametrize("doors", [1, 3])
async def test_every_door_is_on_the_port_that_was_chosen(doors: int) -> None:
    server = build(doors)
    await server.start()
    assert listening(server.port) == doors
    await server.drain(0)
    await server.wait_closed()
    assert listening(server.port) == 0


async def test_calls_are_answered_alike_through_every_door() -> None:
    server = build(3)
    await server.start()
    server.set_ready(ready=True)
    answers = {await ask(server.port, number) for number in range(CONNECTIONS)}
    await server.drain(0)
    assert answers == {health_pb2.HealthCheckResponse.SERVING}


async def test_draining_closes_every_door() -> None:
    server = build(3)
    await server.start()
    await server.drain(0)
    for number in range(CONNECTIONS):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(server.port, number)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
