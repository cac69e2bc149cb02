"""The program of a worker process: `python -m longmen_server.worker INDEX REPORT_FD`.

The supervisor writes the settings as one line of JSON to our standard input and keeps it open; when
it closes, the supervisor is gone and so are we. A line on the report descriptor says that we serve.
Nothing secret stands in the command line or the environment.
"""

from __future__ import annotations

import gc
import json
import os
import sys

__all__ = ["main"]


def main() -> int:
    """Run one worker; 0 when it was told to stop, 1 with one line on standard error otherwise."""
    index, report = int(sys.argv[1]), int(sys.argv[2])
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    # gRPC's fork handlers are never needed here and cost every fork of the process.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    # Nothing of what is loaded is garbage, and looking for some takes a fifth of the time.
    gc.disable()
    # Imported late: gRPC reads the variable when it is loaded.
    from longmen_server.app import run_worker
    from longmen_server.config import read_settings

    gc.freeze()
    gc.enable()

    settings, _ = read_settings(json.loads(line))

    def on_ready() -> None:
        os.write(report, b"ready\n")

    try:
        run_worker(settings, index, on_ready=on_ready)
    except Exception as error:  # noqa: BLE001 - the last chance to say it in one line
        message = " ".join(str(error).split())
        print(f"longmen: worker {index}: {type(error).__name__}: {message}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
