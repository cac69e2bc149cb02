"""Password hashing: argon2id, in a pool of threads that keeps it from starving everything else.

One hash takes tens of milliseconds of a core and 19 MiB, on purpose. So few run at a time, a
bounded number may wait, and what comes beyond that is refused at once: a flood of sign-ins must
leave payments alone. argon2 releases the interpreter while it works, so the event loop goes on.
"""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

from longmen_server.platform.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Hasher", "HashingSettings", "keyed"]

T = TypeVar("T")

MEMORY_KIB: Final = 19 * 1024
TIME_COST: Final = 2
PARALLELISM: Final = 1
"""OWASP's first choice for argon2id; ASVS 5.0 appendix C names it as enough."""
RAW_BYTES: Final = 32

_DECOY_SECRET: Final = b"nobody's"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashingSettings:
    """What password hashing may take of one worker process."""

    hashes_parallel_max: int = 1
    """Hashes that each worker computes at the same time: one takes a core for tens of
    milliseconds, and the worker's event loop needs one too."""
    hashes_waiting_max: int = 16
    """Hashes that may wait for their turn in each worker before the next one is refused as
    OVERLOADED; the last in the queue is answered after half a second, on a busy machine after
    a second."""


class Hasher:
    """Hashes and verifies secrets."""

    def __init__(self, settings: HashingSettings) -> None:
        """Take the limits; threads are started when first needed."""
        self._parallel_max = settings.hashes_parallel_max
        self._bound = settings.hashes_parallel_max + settings.hashes_waiting_max
        self._pool = ThreadPoolExecutor(self._parallel_max, thread_name_prefix="hashing")
        self._argon2 = argon2.PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM
        )
        self._decoy: str | None = None
        self._taken = 0

    def close(self) -> None:
        """Let running hashes end and drop the waiting ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, secret: bytes) -> str:
        """Return the PHC string of a secret: algorithm, parameters, fresh salt and hash.

        Raises:
            Refusal: OVERLOADED.
        """
        return await self._run(lambda: self._argon2.hash(secret))

    async def verify(self, stored: str | None, secret: bytes) -> bool:
        """Say whether a secret is the one stored; takes the same time when nothing is stored.

        Args:
            stored: a PHC string; None where there is none, which never matches.
            secret: what was offered.

        Raises:
            Refusal: OVERLOADED.
        """
        return await self._run(lambda: self._verify(stored, secret))

    async def stretch(self, secret: bytes, salt: bytes) -> bytes:
        """Return 32 bytes that cost as much to guess as a password's hash, for a salt given.

        Raises:
            Refusal: OVERLOADED.
        """
        return (await self.stretch_all([secret], salt))[0]

    async def stretch_all(self, offered: list[bytes], salt: bytes) -> list[bytes]:
        """Return what :meth:`stretch` makes of each secret; they wait for their turn together.

        Raises:
            Refusal: OVERLOADED.
        """
        return await self._run(
            lambda: [_stretch(secret, salt) for secret in offered], hashes=len(offered)
        )

    def is_outdated(self, stored: str) -> bool:
        """Whether a PHC string was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def _verify(self, stored: str | None, secret: bytes) -> bool:
        if self._decoy is None:
            self._decoy = self._argon2.hash(_DECOY_SECRET)
        try:
            self._argon2.verify(stored or self._decoy, secret)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[[], T], *, hashes: int = 1) -> T:
        """Do work on the pool, or refuse it because too much waits already.

        Work takes as many places as it computes hashes: it is time that is bounded. An idle pool
        takes any.
        """
        if self._taken and self._taken + hashes > self._bound:
            raise Refusal(
                "OVERLOADED",
                "too many passwords and PINs are being checked",
                metadata={"class": "hashing"},
            )
        self._taken += hashes
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Freed when the work has ended, not when its caller has: a caller that hangs up leaves the
        # work behind.
        future.add_done_callback(lambda done: self._free(done, hashes))
        return await asyncio.shield(future)

    def _free(self, future: asyncio.Future[T], hashes: int) -> None:
        self._taken -= hashes
        if not future.cancelled():
            future.exception()


def keyed(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 over parts, each with its length, so that no two lists look the same."""
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, message, "sha256")


def _stretch(secret: bytes, salt: bytes) -> bytes:
    return hash_secret_raw(secret, salt, TIME_COST, MEMORY_KIB, PARALLELISM, RAW_BYTES, Type.ID)
