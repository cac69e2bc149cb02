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
a number did not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from google.protobuf.unknown_fields import UnknownFieldSet

from longmen_server.platform.refusal import Refusal
from longmen_server.transport.status import FieldViolation, InvalidRequest
from longmen_server.transport.wide_twin import wide_twin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message


class Strictness:
    """Reads the requests of one message type strictly."""

    def __init__(self, request_class: type[Message]) -> None:
        """Prepare the checks for a message type: costs milliseconds, once."""
        self._request_class = request_class
        descriptor = cast("Descriptor", request_class.DESCRIPTOR)
        self._twin_class = wide_twin(descriptor)
        self._enums = plan_enums(descriptor)

    def check(self, request: Message, raw: bytes) -> bytes:
        """Refuse a request that says more than the server understood.

        Args:
            request: The parsed request; its unknown fields are dropped.
            raw: The bytes it was parsed from.

        Returns:
            Its deterministic serialisation.

        Raises:
            Refusal: UNKNOWN_FIELD, UNKNOWN_ENUM_VALUE, or INVALID_REQUEST for a number out of
                range.
        """
        request.DiscardUnknownFields()
        canonical = request.SerializeToString(deterministic=True)
        if canonical != raw:
            self._look_twice(raw, canonical)
        if self._enums is not None:
            self._enums.check(request)
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


class EnumPlan:
    """Where in a message type enums are, so that no time is spent where none can be."""

    __slots__ = ("enums", "inner")

    def __init__(self) -> None:
        """Begin empty; `plan_enums` fills it in."""
        self.enums: list[tuple[FieldDescriptor, frozenset[int]]] = []
        """Fields of an enum type, and the values known of it."""
        self.inner: list[tuple[FieldDescriptor, EnumPlan]] = []
        """Fields whose messages hold enums, and their plans."""

    def check(self, message: Message, path: str = "") -> None:
        """Raise Refusal UNKNOWN_ENUM_VALUE if an enum in the message has a value we do not know."""
        for field, known in self.enums:
            value = getattr(message, field.name)
            if not field.is_repeated:
                if value not in known:
                    raise _unknown_enum(path + field.name)
            elif not known.issuperset(value.values() if _is_map(field) else value):
                raise _unknown_enum(path + field.name)
        for field, plan in self.inner:
            name = field.name
            if field.is_repeated:
                for index, item in _items(field, getattr(message, name)):
                    plan.check(item, f"{path}{name}[{index}].")
            elif message.HasField(name):
                plan.check(getattr(message, name), f"{path}{name}.")


def plan_enums(root: Descriptor) -> EnumPlan | None:
    """Plan the check of a message type; None when no enum can occur in it."""
    types = {root.full_name: root}
    pending = [root]
    while pending:
        for field in pending.pop().fields:
            inner = _held(field).message_type
            if inner is not None and inner.full_name not in types:
                types[inner.full_name] = inner
                pending.append(inner)
    plans = {name: EnumPlan() for name in types}
    for name, descriptor in types.items():
        for field in descriptor.fields:
            held = _held(field)
            if held.enum_type is not None:
                known = frozenset(value.number for value in held.enum_type.values)
                plans[name].enums.append((field, known))
            elif held.message_type is not None:
                plans[name].inner.append((field, plans[held.message_type.full_name]))
    bearing = _bearing(plans.values())
    for plan in plans.values():
        plan.inner = [(field, inner) for field, inner in plan.inner if id(inner) in bearing]
    plan = plans[root.full_name]
    return plan if id(plan) in bearing else None


def _bearing(plans: Iterable[EnumPlan]) -> set[int]:
    """Identities of the plans that hold an enum at any depth; types may be recursive."""
    bearing = {id(plan) for plan in plans if plan.enums}
    grown = True
    while grown:
        more = {
            id(plan)
            for plan in plans
            if id(plan) not in bearing and any(id(inner) in bearing for _, inner in plan.inner)
        }
        bearing |= more
        grown = bool(more)
    return bearing


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
        name = field.name
        held = _held(field)
        mine, wide = getattr(message, name), getattr(twin, name)
        if held.message_type is None:
            if mine != wide:
                yield path + name, held.enum_type is not None
        elif not field.is_repeated:
            if message.HasField(name):
                yield from _bent(mine, wide, f"{path}{name}.")
        else:
            items = zip(_items(field, mine), _items(field, wide), strict=False)
            for (index, one), (_, other) in items:
                yield from _bent(one, other, f"{path}{name}[{index}].")


def _out_of_range(request: Message, twin: Message) -> Refusal:
    """Name the first number that did not fit into its field."""
    path, is_enum = next(_bent(request, twin), ("", False))
    if is_enum:
        return _unknown_enum(path)
    violation = FieldViolation(path, "the number does not fit into its field", "integer.range")
    return InvalidRequest([violation])


def _unknown_enum(path: str) -> Refusal:
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
