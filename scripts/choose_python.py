"""Print the Python to build the environment with: the one given, or the fastest there is.

A CPython built without profile-guided optimisation, as version managers build it unless told
otherwise, runs this server a fifth slower than a distribution's own. So where nothing is given,
`python3` is taken unless another Python on the PATH is clearly faster. Of a
virtual environment its base is taken. Runs on Python 3.7 and newer, with nothing but its library.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FASTER = 0.9
"""Share of the present best's time below which another one is taken: less is noise."""

ROUNDS = 8
"""Times each is tried, in turns, so that a busy moment slows down all of them."""

ASKED = """
import ensurepip, os, sys, venv
assert sys.version_info >= (3, 11) and sys.implementation.name == "cpython"
print(os.path.realpath(sys._base_executable))
"""

TRIED = """
from time import perf_counter
class Row:
    __slots__ = ("key", "value")
    def __init__(self, key, value):
        self.key, self.value = key, value
def work():
    began, rows = perf_counter(), {}
    for number in range(20_000):
        row = rows.get(number % 500) or Row(number, 0)
        rows[row.key] = Row(row.key, row.value + number)
    ",".join(str(row.value) for row in rows.values()).split(",")
    return perf_counter() - began
print(min(work() for _ in range(8)))
"""


def answer(python: str, program: str) -> str | None:
    """Return what a program prints; None where it does not run."""
    try:
        ran = subprocess.run(  # noqa: S603 - what is on the PATH, asked for its version
            [python, "-I", "-c", program], capture_output=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.decode().strip()


def candidates() -> list[str]:
    """Return the Pythons on the PATH that will do, the present one first."""
    found: dict[str, None] = {}
    for name in ("python3", *(f"python3.{minor}" for minor in range(11, 20))):
        for folder in os.get_exec_path():
            path = Path(folder) / name
            real = answer(str(path), ASKED) if os.access(path, os.X_OK) else None
            if real:
                found[real] = None
    return list(found)


def choose() -> str | None:
    """Return the fastest, or None where there is none."""
    pythons = candidates()
    if len(pythons) < 2:
        return pythons[0] if pythons else None
    taken: dict[str, list[float]] = {python: [] for python in pythons}
    for _ in range(ROUNDS):
        for python in pythons:
            taken[python].append(float(answer(python, TRIED) or "inf"))
    best = pythons[0]
    for python in pythons[1:]:
        if min(taken[python]) < FASTER * min(taken[best]):
            best = python
    return best


def main(given: list[str]) -> int:
    """Print the choice; return the exit code."""
    python = answer(given[0], ASKED) if given else choose()
    if python is None:
        sys.stderr.write(
            "Longmen needs CPython 3.11 or newer with venv:"
            " apt-get install python3-venv, or make PYTHON=/path/to/python3.11\n"
        )
        return 1
    sys.stdout.write(f"{python}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
