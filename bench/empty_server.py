"""The yardstick: a bare grpc.aio server that answers every call with nothing.

Same event loop, same number of processes on one port and same channel options as the server that is
measured, but no interceptor, no message, no database: what the stack itself costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

import grpc
import grpc.aio
import uvloop


async def answer(request: bytes, context: object) -> bytes:  # noqa: ARG001 - signature of grpc
    """Nothing for anything."""
    return b""


class AnyMethod(grpc.GenericRpcHandler):
    """Serves every method alike."""

    _handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(answer)

    def service(
        self,
        handler_call_details: grpc.HandlerCallDetails,  # noqa: ARG002 - every method is the same
    ) -> grpc.RpcMethodHandler[bytes, bytes]:
        """The one handler there is."""
        return self._handler


async def serve(port: int, options: list[tuple[str, int | str]]) -> None:
    """Serve until SIGTERM."""
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((AnyMethod(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("ready", flush=True)
    await stopped.wait()
    await server.stop(0)


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--options", type=json.loads, default=[], help="channel options as JSON")
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.port, [(name, value) for name, value in arguments.options]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
