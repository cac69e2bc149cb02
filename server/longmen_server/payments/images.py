"""Pictures of codes."""

from __future__ import annotations

import io
from typing import Final, NamedTuple

import segno

__all__ = ["Picture", "picture"]

_NONE, _PNG, _SVG = range(3)
_KINDS: Final = {_PNG: ("png", "image/png"), _SVG: ("svg", "image/svg+xml")}
"""By the values of longmen.payments.v1.CodeFormat: segno's name and the media type."""

SCALE: Final = 8
"""Pixels of a module: a code of 60 modules is scanned from a screen at arm's length."""


class Picture(NamedTuple):
    """A picture of a code."""

    image: bytes
    media_type: str


def picture(text: str, code_format: int) -> Picture:
    """Draw a code, correctable up to 15 % (level M) as EMV asks; nothing without a format."""
    if code_format == _NONE:
        return Picture(b"", "")
    kind, media_type = _KINDS[code_format]
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind=kind, scale=SCALE)
    return Picture(out.getvalue(), media_type)
