"""Failpoints: inert unless armed, strict about what they are armed with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from longmen_server.engine.failpoints import POINTS, FailpointError, Failpoints


async def test_nothing_armed_does_nothing() -> None:
    points = Failpoints()
    assert not points.any_armed
    for point in POINTS:
        await points.hit(point)


async def test_an_error_is_raised_once() -> None:
    points = Failpoints("loaded=error")
    await points.hit("gathered")
    with pytest.raises(FailpointError, match="loaded"):
        await points.hit("loaded")
    assert not points.any_armed
    await points.hit("loaded")


async def test_a_delay_is_made_every_time() -> None:
    points = Failpoints(" decided=delay:30 , after_commit=error,")
    for _ in range(2):
        begun = time.monotonic()
        await points.hit("decided")
        assert time.monotonic() - begun >= 0.029
    points.disarm("decided")
    points.disarm("decided")
    async with asyncio.timeout(5):
        await points.hit("decided")
    assert points.any_armed


@pytest.mark.parametrize(
    "text", ["nowhere=error", "loaded=explode", "loaded", "loaded=", "loaded=delay:soon"]
)
def test_what_cannot_be_armed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|invalid literal"):
        Failpoints(text)


def test_a_kill_is_a_kill() -> None:
    program = (
        "import asyncio; from longmen_server.engine.failpoints import Failpoints\n"
        "try: asyncio.run(Failpoints('loaded=kill').hit('loaded'))\n"
        "finally: print('cleaned up')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stdout) == (-9, "")
