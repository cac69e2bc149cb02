"""Threaded code from asyncio code: the same text without its async words.

Only names and keywords change, so what is tested of the one holds for the other. What differs in
kind (how a call is made, how one waits) is in `_transport_async` and `_transport_sync`, which are
written by hand.
"""

from __future__ import annotations

import io
import re
import tokenize

_NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "anext": "next",
    "StopAsyncIteration": "StopIteration",
}
_DROPPED = {"async", "await"}


def unasync(source: str) -> str:
    """The threaded twin of asyncio source text. Run the formatter over it afterwards."""
    pieces: list[str] = []
    line, column = 1, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.start[0] != line:
            line, column = token.start[0], 0
        gap = token.line[column : token.start[1]] if token.start[1] > column else ""
        line, column = token.end
        if token.type == tokenize.NAME and token.string in _DROPPED:
            pieces.append(gap)
            column += 1  # the blank behind the word goes with it
            continue
        pieces.append(gap + _translated(token))
    return "".join(pieces)


def _translated(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return _name(token.string)
    if token.type in {tokenize.STRING, tokenize.COMMENT}:
        text = re.sub(r"\b(?:async|await) ", "", token.string)
        return re.sub(r"\w+", lambda match: _name(match[0]), text)
    return token.string


def _name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    name = re.sub(r"^_async$", "_sync", name)
    name = re.sub(r"_async$", "_sync", name)
    return re.sub(r"^(_?)Async(?=[A-Z])", r"\1", name)
