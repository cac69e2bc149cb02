"""Messages made from nothing but their descriptors: good ones by the rules, and odd values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import protovalidate
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from buf.validate import validate_pb2
from longmen.type.v1 import rules_pb2
from longmen_server.transport.acceptance import MATCHES

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from google.protobuf.message import Message

_parser: Any = getattr(re, "_parser")  # noqa: B009 - it has no types

HEX = "0123456789abcdef"
REQUEST_ID = "0190e7a2-6c1f-7c3a-9d1e-0123456789ab"
BOOK = "0001"

IDS: tuple[tuple[Any, str, str], ...] = (
    (rules_pb2.account_id, "acct_", ""),
    (rules_pb2.transaction_id, "txn_", ""),
    (rules_pb2.posting_id, "txn_", ".1"),
    (rules_pb2.customer_id, "cust_", ""),
    (rules_pb2.merchant_id, "mer_", ""),
    (rules_pb2.terminal_id, "trm_", ""),
    (rules_pb2.order_id, "ord_", ""),
    (rules_pb2.refund_id, "ref_", ""),
    (rules_pb2.factor_id, "fact_", ""),
    (rules_pb2.challenge_id, "chal_", ""),
    (rules_pb2.device_id, "dev_", ""),
    (rules_pb2.session_id, "sess_", ""),
    (rules_pb2.verification_id, "ver_", ""),
)
"""Rules that make a text an id, with what stands before and after the digits."""

TEXT = FieldDescriptor.TYPE_STRING
BYTES = FieldDescriptor.TYPE_BYTES
BOOL = FieldDescriptor.TYPE_BOOL
ENUM = FieldDescriptor.TYPE_ENUM
MESSAGE = FieldDescriptor.TYPE_MESSAGE
"""Kinds of fields; all others are whole numbers: the contract has no floats."""

ODD_TEXTS = (
    "",
    "a",
    "\n",
    "CNY\n",
    "cny",
    "é",
    "e\u0301",
    "\u212b",
    "人民币",
    "\u202e",
    "\u200b",
    "a\x00b",
    "\x85",
    "\U0001f600",
    "\U000e0041",
    "x" * 64,
    "x" * 65,
    "é" * 140,
    "x" * 141,
    "0190E7A2-6C1F-7C3A-9D1E-0123456789AB",
    "0190e7a26c1f7c3a9d1e0123456789ab",
    "acct_" + "0" * 32,
    "acct_" + "0" * 31 + "٣",
    "acct_" + "0" * 32 + "\n",
    "ACCT_" + "0" * 32,
    "txn_" + "0" * 32,
    "txn_" + "0" * 32 + ".99",
    "txn_" + "0" * 32 + ".100",
    "txn_" + "0" * 32 + ".0",
    "cust_" + "f" * 32,
    "+8613812345678",
    "+0123456789",
)
"""Texts at, and just beyond, what rules of texts let through."""

ODD_NUMBERS = (0, 1, -1, 5, 99, 32_767, 32_768, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))


def rules_of(field: Any) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


_GOOD: dict[str, bytes] = {}
"""Serialised: tens of thousands of cases begin with the same few hundred messages."""


def good_message(message_class: type[Message]) -> Message:
    """A message with every field set that its rules let be set together."""
    name = message_class.DESCRIPTOR.full_name
    if name not in _GOOD:
        _GOOD[name] = _make_good(message_class).SerializeToString(deterministic=True)
    message: Message = message_class.FromString(_GOOD[name])
    return message


def _make_good(message_class: type[Message]) -> Message:
    message: Message = fill(message_class())
    while True:
        violations = protovalidate.collect_violations(message)
        if not violations:
            return message
        holder = _holder(message, violations[0])
        _relax(message, holder, len(violations))


def fill(message: Any) -> Any:
    """Set every field of a message to a value that its own rules let through."""
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1 and oneof.fields[0] != field:
            continue
        value = good_value(field)
        if field.is_repeated:
            least = max(1, int(rules_of(field).repeated.min_items))
            getattr(message, field.name).extend([value] * least)
        elif field.type == MESSAGE:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
    return message


def good_value(field: Any) -> Any:
    """A value of a field, or an item of a list, that its own rules let through."""
    rules = rules_of(field)
    if field.is_repeated:
        rules = rules.repeated.items
    if field.type == MESSAGE:
        return good_inner(field.message_type)
    if field.type == ENUM:
        return _first_allowed(field, rules.enum)
    simple: dict[int, Any] = {
        TEXT: good_text(rules.string),
        BYTES: b"x" * max(1, rules.bytes.min_len, rules.bytes.len),
        BOOL: True,
    }
    if field.type in simple:
        return simple[field.type]
    numbers = getattr(rules, rules.WhichOneof("type") or "int64")
    return max(1, numbers.gte, numbers.gt + 1 if numbers.HasField("gt") else 1)


def good_inner(descriptor: Any) -> Any:
    """A message for a field; of Google's own types, a moment or a minute."""
    made: Any = GetMessageClass(descriptor)()
    if descriptor.file.package != "google.protobuf":
        return fill(made)
    made.seconds = 1_700_000_000 if descriptor.name == "Timestamp" else 60
    return made


def good_text(rules: Any) -> str:
    """A text that rules let through."""
    if rules.uuid:
        return REQUEST_ID
    for rule, before, after in IDS:
        if rules.HasExtension(rule):
            return f"{before}{HEX}{HEX[:12]}{BOOK}{after}"
    if rules.HasField("pattern"):
        return matching(str(rules.pattern))
    return _of_predefined(rules) or "x" * max(1, int(rules.len), int(rules.min_len))


def _of_predefined(rules: Any) -> str:
    """A text for a rule of the contract's own that is one regular expression; else none."""
    for part, _ in rules.ListFields():
        for rule in part.GetOptions().Extensions[validate_pb2.predefined].cel:
            found = MATCHES.fullmatch(rule.expression)
            if found is not None and not found[1]:
                return matching(found[2].replace("\\\\", "\\"))
    return ""


def matching(pattern: str) -> str:
    """The shortest text, of the lowest characters, that a regular expression matches."""
    return "".join(_shortest(_parser.parse(pattern)))


def _shortest(parsed: Any) -> Iterator[str]:
    for operation, argument in parsed:
        kind = str(operation)
        if kind == "LITERAL":
            yield chr(argument)
        elif kind == "IN":
            _, first = argument[0]
            yield chr(first if isinstance(first, int) else first[0])
        elif kind in {"MAX_REPEAT", "MIN_REPEAT"}:
            fewest, _, repeated = argument
            yield from (part for _ in range(fewest) for part in _shortest(repeated))
        elif kind == "SUBPATTERN":
            yield from _shortest(argument[-1])
        elif kind == "BRANCH":
            yield from _shortest(argument[1][0])
        else:
            assert kind == "AT", f"no text is known for {kind} in a pattern of the contract"


def _first_allowed(field: Any, rules: Any) -> int:
    numbers: list[int] = [number for number in field.enum_type.values_by_number if number]
    return next(number for number in sorted(numbers) if number not in rules.not_in)


def _holder(message: Any, violation: Any) -> Any:
    """The message that a violation without a field of its own is about."""
    place = violation.proto.field
    for element in place.elements if place is not None else ():
        inner = getattr(message, element.field_name)
        if element.subscript is not None:
            inner = inner[element.subscript.value]
        if not hasattr(inner, "DESCRIPTOR"):
            break
        message = inner
    return message


def _relax(whole: Any, holder: Any, count: int) -> None:
    """Clear one field of a message such that fewer rules are broken; fail if none does."""
    for field, value in holder.ListFields():
        kept = type(holder)()
        kept.CopyFrom(holder)
        holder.ClearField(field.name)
        if len(protovalidate.collect_violations(whole)) < count:
            return
        holder.CopyFrom(kept)
        del value
    raise AssertionError(f"no good {holder.DESCRIPTOR.full_name} found: {holder}")


def messages_in(message: Any) -> Iterator[Any]:
    """A message and every message set below it, but for those of google.protobuf."""
    yield message
    for field, value in message.ListFields():
        if field.type == MESSAGE and field.message_type.full_name.startswith("longmen."):
            for one in value if field.is_repeated else (value,):
                yield from messages_in(one)


def spoil(message: Any, chance: random.Random) -> None:
    """Set, clear or double one field somewhere in a message, by chance."""
    holder = chance.choice(list(messages_in(message)))
    fields = holder.DESCRIPTOR.fields
    if not fields:
        return
    field = chance.choice(fields)
    if chance.random() < 0.2:
        holder.ClearField(field.name)
    elif field.is_repeated:
        _spoil_list(field, getattr(holder, field.name), chance)
    elif field.type == MESSAGE:
        _spoil_message(field, getattr(holder, field.name), chance)
    else:
        setattr(holder, field.name, odd_value(field, chance))


def _spoil_list(field: Any, values: Any, chance: random.Random) -> None:
    count = chance.choice((1, 2, 8, 101, 1_001))
    if field.type != MESSAGE:
        values.extend(
            good_value(field) if chance.random() < 0.5 else odd_value(field, chance)
            for _ in range(count)
        )
        return
    for _ in range(count):
        values.add().CopyFrom(good_value(field))


def _spoil_message(field: Any, value: Any, chance: random.Random) -> None:
    value.SetInParent()
    if field.message_type.full_name.startswith("google.protobuf."):
        value.seconds = chance.choice(ODD_NUMBERS)
        value.nanos = chance.choice((0, 1, -1, 999_999_999, 1_000_000_000, -999_999_999))


def odd_value(field: Any, chance: random.Random) -> Any:
    """A value of the field's type that may or may not keep its rules."""
    if field.type == TEXT:
        return chance.choice(ODD_TEXTS)
    if field.type == BYTES:
        return b"\xff" * chance.choice((0, 1, 32, 33, 5_000))
    if field.type == BOOL:
        return chance.random() < 0.5
    narrow = {FieldDescriptor.CPPTYPE_INT64: 64, FieldDescriptor.CPPTYPE_UINT64: 64}
    bits = narrow.get(field.cpp_type, 32)
    unsigned = field.cpp_type in {FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return min(max(chance.choice(ODD_NUMBERS), low), high)
