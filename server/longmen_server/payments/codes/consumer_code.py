"""EMV codes that payers show: base64 of BER-TLV, our payer code inside as the account number.

    85 "CPV01"                    payload format, always first
    61 template                   one for each application
       4F                         application id: ours begins with F, as those nobody registered do
       50                         label
       5A                         our eighteen digits, two in a byte

EMV QRCPS Consumer-Presented Mode. Templates of other schemes and objects we do not know are passed
over, so that a wallet with several schemes in one code can be read.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

from longmen_server.payments.codes.payer_code import CODE_DIGITS
from longmen_server.payments.codes.tlv import CodeError, is_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AID", "build", "is_consumer_code", "read"]

AID: Final = bytes.fromhex("F04C4F4E474D454E")
"""Our application: F0, and the name in ASCII."""

LABEL: Final = b"LONGMEN"
FORMAT: Final = b"CPV01"
HEAD: Final = "hQVDUFYwM"
"""What every such code begins with: the first bytes never differ, so neither does their base64."""

_FORMAT_TAG, _TEMPLATE_TAG, _AID_TAG, _LABEL_TAG, _PAN_TAG = 0x85, 0x61, 0x4F, 0x50, 0x5A
_LONG_TAG: Final = 0x1F
"""Tags that end in these bits go on in the next byte."""
_MORE: Final = 0x80


class Object(NamedTuple):
    """One data object."""

    tag: int
    value: bytes


def is_consumer_code(text: str) -> bool:
    """Whether a scanned text is such a code, ours or another scheme's."""
    return text.startswith(HEAD)


def build(code: str) -> str:
    """Return the code that a device draws as a QR code, from the eighteen digits it shows."""
    assert len(code) == CODE_DIGITS, "payer codes have a fixed length"
    assert is_digits(code), "payer codes are digits"
    template = _write(_AID_TAG, AID) + _write(_LABEL_TAG, LABEL)
    template += _write(_PAN_TAG, bytes.fromhex(code))
    payload = _write(_FORMAT_TAG, FORMAT) + _write(_TEMPLATE_TAG, template)
    return base64.b64encode(payload).decode()


def read(text: str) -> str:
    """Return the eighteen digits in a code of ours.

    Raises:
        CodeError: `not_base64`, `format_missing`, `object_cut_short`, `length_unsupported`,
            `account_number_wrong`; `scheme_unknown` when no application in it is ours, with the
            first one's id in hexadecimal as its path.
    """
    try:
        payload = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CodeError("not_base64") from None
    objects = list(_objects(payload))
    if not objects or objects[0] != Object(_FORMAT_TAG, FORMAT):
        raise CodeError("format_missing")
    applications = []
    for tag, template in objects[1:]:
        if tag != _TEMPLATE_TAG:
            continue
        inner = {one.tag: one.value for one in _objects(template)}
        if inner.get(_AID_TAG) == AID:
            return _digits(inner.get(_PAN_TAG, b""))
        applications.append(inner.get(_AID_TAG, b"").hex())
    raise CodeError("scheme_unknown", path=next(iter(applications), ""))


def _digits(number: bytes) -> str:
    digits = number.hex()
    if len(digits) != CODE_DIGITS or not is_digits(digits):
        raise CodeError("account_number_wrong", path="61.5A")
    return digits


def _objects(data: bytes) -> Iterator[Object]:
    """Take data apart into objects, in order.

    Raises:
        CodeError: `object_cut_short`, `length_unsupported`.
    """
    at = 0
    while at < len(data):
        start, tag = at, data[at]
        at += 1
        if tag & _LONG_TAG == _LONG_TAG:
            while at < len(data) and data[at] & _MORE:
                at += 1
            at += 1
            tag = int.from_bytes(data[start:at], "big")
        if at >= len(data):
            raise CodeError("object_cut_short", offset=start)
        length = data[at]
        at += 1
        if length & _MORE:
            # One more byte is enough for anything that fits a QR code of this kind.
            if length != _MORE | 1 or at >= len(data):
                raise CodeError("length_unsupported", offset=start)
            length = data[at]
            at += 1
        value = data[at : at + length]
        if len(value) < length:
            raise CodeError("object_cut_short", offset=start)
        at += length
        yield Object(tag, value)


def _write(tag: int, value: bytes) -> bytes:
    assert len(value) < _MORE, "our objects are short"
    return bytes((tag, len(value))) + value
