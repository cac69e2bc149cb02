from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import argon2
import pytest

from longmen_server.platform.hashing import Hasher, HashingSettings, keyed
from longmen_server.platform.refusal import Refusal
from tests.support.poll import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    one = Hasher(HashingSettings(hashes_parallel_max=1, hashes_waiting_max=2))
    yield one
    one.close()


async def test_a_secret_verifies_and_another_does_not(hasher: Hasher) -> None:
    stored = await hasher.hash(b"correct horse")
    assert await hasher.verify(stored, b"correct horse")
    assert not await hasher.verify(stored, b"correct horsf")
    assert not await hasher.verify(None, b"correct horse")
    assert not await hasher.verify("$argon2id$broken", b"correct horse")


async def test_hashes_are_argon2id_with_owasps_parameters_and_their_own_salt(
    hasher: Hasher,
) -> None:
    first, second = await hasher.hash(b"same"), await hasher.hash(b"same")
    assert first != second
    read = argon2.extract_parameters(first)
    assert (read.type, read.memory_cost, read.time_cost, read.parallelism) == (
        argon2.Type.ID,
        19_456,
        2,
        1,
    )


async def test_hashes_with_old_parameters_are_told(hasher: Hasher) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(b"x")
    assert hasher.is_outdated(old)
    assert not hasher.is_outdated(await hasher.hash(b"x"))


async def test_stretching_depends_on_secret_and_salt(hasher: Hasher) -> None:
    one = await hasher.stretch(b"code", bytes(16))
    assert len(one) == 32
    assert one == await hasher.stretch(b"code", bytes(16))
    assert one != await hasher.stretch(b"code", bytes(15) + b"1")
    assert await hasher.stretch_all([b"code", b"edoc"], bytes(16)) == [
        one,
        await hasher.stretch(b"edoc", bytes(16)),
    ]


async def test_what_comes_beyond_the_queue_is_refused_at_once(hasher: Hasher) -> None:
    go_on = threading.Event()
    blocked = asyncio.create_task(hasher._run(go_on.wait))
    waiting = [asyncio.create_task(hasher.verify(None, b"")) for _ in range(2)]
    await until(lambda: hasher._taken == 3, "the queue is full")
    with pytest.raises(Refusal) as caught:
        await hasher.hash(b"one too many")
    assert (caught.value.reason, caught.value.metadata) == ("OVERLOADED", {"class": "hashing"})
    # A caller that hangs up does not free the place: its work still stands in the queue.
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    with pytest.raises(Refusal):
        await hasher.hash(b"still one too many")
    go_on.set()
    assert await blocked
    assert not await waiting[1]
    await until(lambda: hasher._taken == 0, "the queue is empty")
    assert await hasher.hash(b"room again")


def test_keyed_parts_do_not_run_together() -> None:
    assert keyed(b"k", b"ab", b"c") != keyed(b"k", b"a", b"bc")
    assert keyed(b"k", b"ab") != keyed(b"q", b"ab")


async def test_many_hashes_at_once_take_as_many_places(hasher: Hasher) -> None:
    go_on = threading.Event()
    blocked = asyncio.create_task(hasher._run(go_on.wait))
    await until(lambda: hasher._taken == 1, "one hash is under way")
    with pytest.raises(Refusal) as caught:
        await hasher.stretch_all([b"a", b"b", b"c"], bytes(16))
    assert caught.value.reason == "OVERLOADED"
    two = asyncio.create_task(hasher.stretch_all([b"a", b"b"], bytes(16)))
    await until(lambda: hasher._taken == 3, "both places are taken")
    with pytest.raises(Refusal):
        await hasher.hash(b"one too many")
    go_on.set()
    assert await blocked
    assert len(await two) == 2
    # An idle pool takes more than its queue has places: else nobody could ever ask for so many.
    await until(lambda: hasher._taken == 0, "the pool is idle")
    assert len(await hasher.stretch_all([b"x"] * 5, bytes(16))) == 5
