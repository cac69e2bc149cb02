"""Cases for the values of fields: enums, numbers, texts, ids, injections and sizes of one field."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor import FieldDescriptor

from corpus import texts
from corpus.case import ANY_SOUND, BROKEN_RULE, INVALID, MALFORMED, Case, Expected, refused
from corpus.encoding import with_record
from corpus.world import METHODS, SAFE, SEALED, World, dotted, is_safe
from longmen.type.v1 import rules_pb2
from tests.support.messages import BOOL, BYTES, ENUM, MESSAGE, TEXT, rules_of
from tests.support.rpcs import ID_RULES, short

if TYPE_CHECKING:
    from collections.abc import Iterator

ENUM_VALUES: Final = (99, -1, 2**31 - 1, 2**31, 2**40, 2**63, 0)

NUMBERS: Final = (
    *(0, 1, -1, 2, 7, 99, 100, 101, 999, 1_000, 1_001, 32_766, 32_767, 32_768, 65_535, 65_536),
    *(2**31 - 1, 2**31, 2**31 + 1, -(2**31), -(2**31) - 1, 2**32 - 1, 2**32, 2**53 - 1, 2**53),
    *(2**53 + 1, -(2**53), 2**62, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 10**18, -(10**18)),
    *(253_402_300_799, 253_402_300_800, -62_135_596_800, -62_135_596_801),
)

INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""What plain texts may not have."""

INT32: Final = frozenset({FieldDescriptor.CPPTYPE_INT32})
UNKNOWN_ENUM: Final = refused("UNKNOWN_ENUM_VALUE")


def values_of(field: Any) -> Any:
    """The rules for single values of a field."""
    rules = rules_of(field)
    return rules.repeated.items if field.is_repeated else rules


def enums(world: World) -> Iterator[Case]:
    """Class E: values that the contract does not have, and the one that means none."""
    for method in METHODS:
        base = world.base(method, "E")
        for path, field in world.paths(method):
            if field.type != ENUM:
                continue
            for value in ENUM_VALUES:
                narrow = (value + 2**31) % 2**32 - 2**31
                defined = narrow in field.enum_type.values_by_number
                if defined and narrow == value and not is_safe(method):
                    continue
                expected = UNKNOWN_ENUM
                if defined and (narrow == value or not method.writes):
                    rules = values_of(field)
                    expected = BROKEN_RULE if narrow in rules.enum.not_in else ANY_SOUND
                name = f"{short(method)}/{dotted(path)}/{value}"
                yield Case("E", name, method, expected, with_record(base, path, value))


def numbers(world: World) -> Iterator[Case]:
    """Class N: numbers at the ends of their range and beyond."""
    for method in SAFE:
        for path, field in world.paths(method):
            if field.type in {TEXT, BYTES, BOOL, ENUM, MESSAGE}:
                continue
            for value in NUMBERS:
                name = f"{short(method)}/{dotted(path)}/{value}"
                base = world.base(method, "N", name)
                expected = _number(field, value, strict=method.writes)
                yield Case("N", name, method, expected, with_record(base, path, value))


def _number(field: Any, value: int, *, strict: bool) -> Expected:
    bits = 32 if field.cpp_type in INT32 else 64
    value = (value + 2**63) % 2**64 - 2**63
    read = (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
    if read != value and strict:
        return BROKEN_RULE
    rules = values_of(field)
    kind = rules.WhichOneof("type")
    bounds = getattr(rules, kind) if kind in {"int32", "int64"} else None
    if bounds is not None:
        low = bounds.gte if bounds.HasField("gte") else read
        high = bounds.lte if bounds.HasField("lte") else read
        if not low <= read <= high:
            return BROKEN_RULE
    return ANY_SOUND


def unicode(world: World) -> Iterator[Case]:
    """Class U: texts that look like others, cannot be seen, or are none."""
    for method in METHODS:
        for path, field in world.paths(method):
            if field.type != TEXT:
                continue
            for label, text in texts.UNICODE.items():
                name = f"{short(method)}/{dotted(path)}/{label}"
                expected = judge_text(field, text)
                if expected is ANY_SOUND and not is_safe(method):
                    continue
                base = world.base(method, "U", name)
                yield Case("U", name, method, expected, with_record(base, path, text.encode()))
            for label, data in texts.NOT_UTF8.items():
                name = f"{short(method)}/{dotted(path)}/{label}"
                base = world.base(method, "U", name)
                yield Case("U", name, method, MALFORMED, with_record(base, path, data))


def judge_text(field: Any, text: str) -> Expected:
    """What a text in a field deserves, by the contract's rules."""
    rules, whole = values_of(field).string, rules_of(field)
    if not text and not rules.min_len and (whole.ignore or not _is_code(rules)):
        return ANY_SOUND
    if _is_broken(rules, text):
        return BROKEN_RULE
    return Expected(frozenset({INVALID})) if field.name in SEALED else ANY_SOUND


def _is_broken(rules: Any, text: str) -> bool:
    """Whether a text breaks a rule, or the one that holds for all: no NUL."""
    too_long = rules.HasField("max_len") and len(text) > rules.max_len
    hidden = INVISIBLE.search(text) or not unicodedata.is_normalized("NFC", text)
    return bool(
        _is_of_another_shape(rules, text)
        or len(text) < rules.min_len
        or too_long
        or "\0" in text
        or (rules.Extensions[rules_pb2.plain_text] and hidden)
    )


def _is_of_another_shape(rules: Any, text: str) -> bool:
    """Whether only texts of one shape are taken, and this is none; none of ours is an id."""
    if rules.HasField("pattern") and rules.pattern.endswith("$"):
        return re.fullmatch(rules.pattern.removeprefix("^")[:-1], text, re.ASCII) is None
    return _is_code(rules)


def _is_code(rules: Any) -> bool:
    """Whether only texts of one shape are taken."""
    return bool(
        rules.HasField("pattern")
        or rules.uuid
        or any(rules.HasExtension(rule) for rule in ID_RULES.values())
    )


def ids(world: World) -> Iterator[Case]:
    """Class I: ids of nobody, of another kind, of another book, and what only resembles one."""
    for method in SAFE:
        for path, field in world.paths(method):
            if field.type != TEXT:
                continue
            rules = values_of(field).string
            prefix = next((p for p, rule in ID_RULES.items() if rules.HasExtension(rule)), "")
            if not prefix:
                continue
            prefix = "txn" if prefix == "posting" else prefix
            for label, text in texts.malformed_ids(prefix).items():
                name = f"{short(method)}/{dotted(path)}/{label}"
                data = with_record(world.base(method, "I", name), path, text.encode())
                yield Case("I", name, method, BROKEN_RULE, data)
            for label, text in texts.strange_ids(prefix).items():
                name = f"{short(method)}/{dotted(path)}/{label}"
                data = with_record(world.base(method, "I", name), path, text.encode())
                yield Case("I", name, method, ANY_SOUND, data)


def injections(world: World) -> Iterator[Case]:
    """Class S: texts that mean something to SQL, shells, logs, spreadsheets or templates."""
    (method,) = (m for m in METHODS if short(m) == "LedgerService/CreateTransfers")
    for number, text in enumerate(texts.INJECTIONS):
        name = f"reference/{number:03d}"
        request = method.request_class()
        base = world.base(method, "S", name)
        setattr(request, "request_id", base.request_id)  # noqa: B010
        transfers: Any = getattr(request, "transfers")  # noqa: B009
        transfer = transfers.add(
            debit_account_id=world.payer, credit_account_id=world.payee, reference=text
        )
        transfer.amount.minor_units, transfer.amount.currency_code = 1, "CNY"
        expected = Expected(frozenset({"OK"}))
        yield Case("S", name, method, expected, request.SerializeToString(), echo=text)


def sizes(world: World) -> Iterator[Case]:
    """Class Z, of fields: texts and lists at their limit, one beyond, and far beyond."""
    for method in SAFE:
        for path, field in world.paths(method):
            base = world.base(method, "Z", dotted(path))
            place = f"{short(method)}/{dotted(path)}"
            limit = values_of(field).string.max_len if field.type == TEXT else 0
            for length in (limit, limit + 1, 10 * limit, 65_536) if limit else ():
                good = length <= limit
                expected = BROKEN_RULE
                if good:
                    expected = judge_text(field, "x" * length)
                data = with_record(base, path, b"x" * length)
                yield Case("Z", f"{place}/{length} characters", method, expected, data)
            most = rules_of(field).repeated.max_items if field.is_repeated else 0
            if most and len(path) == 1:
                yield from _lists(method, base, path[0], most)


def _lists(method: Any, base: Any, name: str, most: int) -> Iterator[Case]:
    one = getattr(base, name)[0]
    for count in (most, most + 1, 10 * most):
        many = type(base)()
        many.CopyFrom(base)
        getattr(many, name).extend([one] * (count - 1))
        data = many.SerializeToString()
        expected = ANY_SOUND if count <= most else BROKEN_RULE
        if len(data) > method.request_bytes_max:
            expected = Expected(frozenset({"RESOURCE_EXHAUSTED"}), core=True)
        yield Case("Z", f"{short(method)}/{name}/{count} items", method, expected, data)
