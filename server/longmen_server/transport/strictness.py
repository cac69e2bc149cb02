"""What parsing silently drops or bends in a request that changes something, found and refused.

Protobuf is made to be lenient: fields it does not know are kept aside, enum values it does not know
pass as numbers, a number too wide for its field loses its upper bits (an enum of 2^40 arrives as
0). For a request that moves money each of these means that the server does something other than
what was asked.

The common case is decided by one comparison in C: once unknown fields are dropped, a request that
serialises to the very bytes that came in has hidden nothing. Only other requests (fields in another
order, defaults written out, or indeed something hidden) are looked at twice: by their size before
unknown fields were dropped, and by parsing them once more as their *wide twin*, a copy of the
message type whose 32-bit numbers and enums are 64 bits wide: if that one serialises to other bytes,
a number did not fit. Last, what is given twice is looked for in the bytes
(`longmen_server.transport.duplicates`).

Enum values that fit and are not in the contract are left to validation, by the rule `defined_only`;
that every enum field has it is demanded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from google.protobuf.unknown_fields import UnknownFieldSet

from buf.validate import validate_pb2
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.duplicates import repeated_fields
from longmen_server.transport.status import FieldViolation, InvalidRequest
from longmen_server.transport.wide_twin import wide_twin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message


class Strictness:
    """Reads the requests of one message type strictly."""

    def __init__(self, request_class: type[Message]) -> None:
        """Prepare the checks for a message type; costs milliseconds, once.

        Raises:
            ValueError: If the rules of an enum field let values pass that the contract lacks.
        """
        self._request_class = request_class
        descriptor = cast("Descriptor", request_class.DESCRIPTOR)
        self._twin_class = wide_twin(descriptor)
        undefined = ", ".join(open_enums(descriptor))
        if undefined:
            message = f"enum fields without the rule defined_only: {undefined}"
            raise ValueError(message)

    def check(self, request: Message, raw: bytes) -> bytes:
        """Refuse a request that says more than the server understood.

        Args:
            request: The parsed request; its unknown fields are dropped.
            raw: The bytes it was parsed from.

        Returns:
            Its deterministic serialisation.

        Raises:
            Refusal: UNKNOWN_FIELD, UNKNOWN_ENUM_VALUE, or INVALID_REQUEST for a number out of
                range or a field given twice.
        """
        request.DiscardUnknownFields()
        canonical = request.SerializeToString(deterministic=True)
        if canonical != raw:
            self._look_twice(raw, canonical)
        return canonical

    def _look_twice(self, raw: bytes, canonical: bytes) -> None:
        """Refuse what the bytes hold and the request does not."""
        original = self._request_class.FromString(raw)
        if original.ByteSize() != len(canonical):
            found = next(unknown_fields(original), "")
            raise Refusal(
                "UNKNOWN_FIELD",
                "the request has a field that this server does not know",
                metadata={"message": found},
            )
        twin = self._twin_class.FromString(raw)
        twin.DiscardUnknownFields()
        if twin.SerializeToString(deterministic=True) != canonical:
            raise _out_of_range(original, twin)
        twice = next(repeated_fields(raw, cast("Descriptor", self._request_class.DESCRIPTOR)), "")
        if twice:
            raise InvalidRequest([FieldViolation(twice, "is given more than once", "field.once")])


def open_enums(root: Descriptor) -> Iterator[str]:
    """Yield every enum field within a message type whose rules let undefined values pass."""
    types = {root.full_name: root}
    pending = [root]
    while pending:
        for field in pending.pop().fields:
            held = _held(field)
            inner = held.message_type
            if inner is not None and inner.full_name not in types:
                types[inner.full_name] = inner
                pending.append(inner)
            if held.enum_type is not None and not _rules_of_values(field).enum.defined_only:
                yield field.full_name


def _rules_of_values(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """Return the rules that the contract puts on the single values of a field."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if _is_map(field):
        return rules.map.values
    return rules.repeated.items if field.is_repeated else rules


def unknown_fields(message: Message) -> Iterator[str]:
    """Yield the full name of every message in the tree with unknown fields, outermost first."""
    if len(UnknownFieldSet(message)):
        yield message.DESCRIPTOR.full_name
    for field, value in message.ListFields():
        if _held(field).message_type is None:
            continue
        for _, item in _items(field, value) if field.is_repeated else ((0, value),):
            yield from unknown_fields(item)


def _bent(message: Message, twin: Message, path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the path of every number that lost bits in `message`, and whether it is an enum."""
    descriptor = cast("Descriptor", message.DESCRIPTOR)
    for field in descriptor.fields:
        place = path + field.name
        held = _held(field)
        mine, wide = getattr(message, field.name), getattr(twin, field.name)
        if _is_map(field) and mine.keys() != wide.keys():
            yield place, False
            continue
        pairs = [(place, mine, wide)]
        if held.message_type is not None and not field.is_repeated:
            pairs = pairs if message.HasField(field.name) else []
        elif _is_map(field):
            pairs = [(f"{place}[{key}]", mine[key], wide[key]) for key in mine]
        elif field.is_repeated:
            pairs = [(f"{place}[{n}]", mine[n], wide[n]) for n in range(len(mine))]
        for inside, one, other in pairs:
            if held.message_type is not None:
                yield from _bent(one, other, f"{inside}.")
            elif one != other:
                yield inside, held.enum_type is not None


def _out_of_range(request: Message, twin: Message) -> Refusal:
    """Name the first number that did not fit into its field."""
    path, is_enum = next(_bent(request, twin), ("", False))
    if is_enum:
        return unknown_enum(path)
    violation = FieldViolation(path, "the number does not fit into its field", "integer.range")
    return InvalidRequest([violation])


def unknown_enum(path: str) -> Refusal:
    """Return the refusal of an enum value that is not in the contract."""
    return Refusal(
        "UNKNOWN_ENUM_VALUE",
        "the request has an enum value that this server does not know",
        metadata={"field": path},
        field=path,
    )


def _held(field: FieldDescriptor) -> FieldDescriptor:
    """Return the field that has the values: that of the entry's value for a map, else the field."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and _is_map(field) else field


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _items(field: FieldDescriptor, values: Any) -> Iterable[tuple[Any, Any]]:
    """Return the items of a repeated field with their indices, or of a map with their keys."""
    return values.items() if _is_map(field) else enumerate(values)
