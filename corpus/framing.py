"""Classes W and C: how a message is framed on the wire, and compressed."""

from __future__ import annotations

import gzip
import zlib
from functools import cache
from typing import TYPE_CHECKING, Final

from corpus.case import INVALID, MALFORMED, SOUND, Case, Expected, Raw, core, undecodable
from corpus.world import METHODS, SAFE, World
from tests.support.http2 import Header, call_headers
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.transport.method import Method

LOOSE: Final = core(*SOUND, "RESOURCE_EXHAUSTED", "CANCELLED", "UNIMPLEMENTED", "DEADLINE_EXCEEDED")
"""What the core decides: it may read on, or break the call off, but not blame itself."""

LATE: Final = core("CANCELLED", "DEADLINE_EXCEEDED", INVALID)
"""Of a call whose request never comes whole."""

PACKED: Final = undecodable(*LOOSE.codes)
"""What the core decides about compression, which it may be unable to undo."""

FRAME_MAX: Final = 16_384
BOMB_BYTES: Final = 100_000_000


def framed(payload: bytes, *, flag: int = 0, length: int | None = None) -> bytes:
    """One message in gRPC's framing, true or not."""
    size = len(payload) if length is None else length
    return bytes((flag,)) + size.to_bytes(4, "big") + payload


def split(body: bytes, size: int) -> tuple[bytes, ...]:
    """A body in DATA frames of a size."""
    return tuple(body[at : at + size] for at in range(0, len(body), size)) or (b"",)


def wire(world: World, bearer: dict[str, Header]) -> Iterator[Case]:
    """Class W, for every method."""
    for method in SAFE:
        for label, (frames, ends, expected) in _bodies(world, method).items():
            raw = Raw(
                tuple(call_headers(f"/{method.path}", bearer[method.path], *_patience(expected))),
                frames=frames,
                ends=ends,
            )
            yield Case("W", f"{short(method)}/{label}", method, expected, raw=raw)


def _patience(expected: Expected) -> tuple[Header, ...]:
    """A call whose request never comes is given up by its deadline; others have their method's."""
    return ((b"grpc-timeout", b"300m"),) if expected is LATE else ()


def _bodies(world: World, method: Method) -> dict[str, tuple[tuple[bytes, ...], bool, Expected]]:
    def good(label: str) -> bytes:
        return bytes(world.base(method, "W", label).SerializeToString())

    fine = Expected(SOUND)
    half = framed(good("half"))[:-1]
    found: dict[str, tuple[tuple[bytes, ...], bool, Expected]] = {
        "no message": ((b"",), True, MALFORMED),
        "empty message": ((framed(b""),), True, fine),
        "never any message": ((), False, LATE),
        "half a message, then silence": ((half,), False, LATE),
        "good, and never ended": ((framed(good("never ended")),), False, fine),
    }
    for size in (1, 2, 3, 4):
        found[f"{size} bytes of the prefix"] = ((framed(b"")[:size],), True, MALFORMED)
    for more in (1, 10, 255, 65_536):
        label = f"{more} bytes too few"
        payload = good(label)
        found[label] = ((framed(payload, length=len(payload) + more),), True, MALFORMED)
    for length in (2**24, 2**31 - 1, 2**31, 2**32 - 1):
        found[f"length of {length}"] = ((framed(b"abc", length=length),), True, LOOSE)
    for flag in (1, 2, 3, 7, 8, 16, 64, 127, 128, 254, 255):
        label = f"flag {flag}"
        found[label] = ((framed(good(label), flag=flag),), True, PACKED if flag % 2 else LOOSE)
    for label, tail in (
        ("a byte after", b"\x00"),
        ("half a prefix after", b"\x00\x00\x00"),
        ("garbage after", b"\xff" * 32),
        ("an empty message after", framed(b"")),
        ("broken message after", framed(b"\xff" * 8)),
    ):
        found[label] = ((framed(good(label)) + tail,), True, LOOSE)
    for count in (2, 3, 100):
        label = f"{count} messages"
        found[label] = (split(framed(good(label)) * count, FRAME_MAX), True, LOOSE)
    for size in (1, 3, 5, 6):
        label = f"in frames of {size}"
        found[label] = (split(framed(good(label)), size), True, fine)
    label = "between empty frames"
    found[label] = ((b"", b"", framed(good(label)), b"", b""), True, fine)
    return found


@cache
def _bombs() -> tuple[bytes, bytes]:
    """Little that unpacks to much, by gzip and by deflate; each takes a third of a second."""
    bomb = bytes(BOMB_BYTES)
    return gzip.compress(bomb, mtime=0), zlib.compress(bomb)


def compression(world: World, bearer: dict[str, Header]) -> Iterator[Case]:
    """Class C: bombs, broken and unknown compression."""
    (method,) = (m for m in METHODS if short(m) == "LedgerService/GetAccount")
    good = world.base(method, "C").SerializeToString()
    gzip_bomb, deflate_bomb = _bombs()
    bodies = {
        "gzip": (b"gzip", gzip.compress(good, mtime=0), Expected(SOUND)),
        "deflate": (b"deflate", zlib.compress(good), Expected(SOUND)),
        "gzip bomb": (b"gzip", gzip_bomb, PACKED),
        "deflate bomb": (b"deflate", deflate_bomb, PACKED),
        "gzip of gzip": (b"gzip", gzip.compress(gzip.compress(good, mtime=0), mtime=0), PACKED),
        "bomb in a bomb": (b"gzip", gzip.compress(gzip_bomb, mtime=0), PACKED),
        "gzip cut off": (b"gzip", gzip.compress(good, mtime=0)[:-9], PACKED),
        "gzip header only": (b"gzip", gzip.compress(good, mtime=0)[:10], PACKED),
        "gzip and garbage": (b"gzip", gzip.compress(good, mtime=0) + b"\xff" * 99, PACKED),
        "gzip with a wrong sum": (b"gzip", gzip.compress(good, mtime=0)[:-8] + b"\0" * 8, PACKED),
        "gzip of nothing": (b"gzip", gzip.compress(b"", mtime=0), PACKED),
        "garbage as gzip": (b"gzip", b"\xff" * 64, PACKED),
        "nothing as gzip": (b"gzip", b"", PACKED),
        "garbage as deflate": (b"deflate", b"\xff" * 64, PACKED),
        "gzip as deflate": (b"deflate", gzip.compress(good, mtime=0), PACKED),
        "deflate as gzip": (b"gzip", zlib.compress(good), PACKED),
        "raw deflate": (b"deflate", zlib.compress(good)[2:-4], PACKED),
    }
    for name in (b"br", b"zstd", b"snappy", b"", b"GZIP", b"gzip,deflate", b"identity", b"x" * 500):
        bodies[f"encoding {name.decode()[:20] or 'of no name'}"] = (name, good, PACKED)
    for label, (name, content, expected) in bodies.items():
        for flag in (0, 1):
            raw = Raw(
                tuple(
                    call_headers(f"/{method.path}", bearer[method.path], (b"grpc-encoding", name))
                ),
                frames=split(framed(content, flag=flag), FRAME_MAX),
            )
            wanted = expected if flag else PACKED
            yield Case("C", f"{label}, flag {flag}", method, wanted, raw=raw)
