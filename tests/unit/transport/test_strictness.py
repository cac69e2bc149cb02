"""Strict reading: nothing a request says is dropped or bent without a refusal."""

from __future__ import annotations

from typing import Any, cast

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buf.validate import validate_pb2
from longmen.ledger.v1.ledger_service_pb2 import CreateTransfersRequest
from longmen.transfers.v1.transfer_pb2 import Payee
from longmen.transfers.v1.transfers_service_pb2 import CreateTransferRequest
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.duplicates import repeated_fields
from longmen_server.transport.interceptors.validation import Validation
from longmen_server.transport.status import InvalidRequest
from longmen_server.transport.strictness import Strictness
from longmen_server.transport.wide_twin import wide_twin
from tests.support.edge import transfers

_Field = descriptor_pb2.FieldDescriptorProto
INT32, INT64, UINT32 = _Field.TYPE_INT32, _Field.TYPE_INT64, _Field.TYPE_UINT32
BOOL, ENUM, MESSAGE, STRING = (
    _Field.TYPE_BOOL,
    _Field.TYPE_ENUM,
    _Field.TYPE_MESSAGE,
    _Field.TYPE_STRING,
)


def make(*, defined_only: bool = True) -> Any:
    """A message type with every place a number or an enum can be in, and itself inside itself."""
    file = descriptor_pb2.FileDescriptorProto(
        name="strict.proto", package="strict", syntax="proto3"
    )
    colour = file.enum_type.add(name="Colour")
    for number, name in enumerate(("COLOUR_UNSPECIFIED", "RED", "BLUE")):
        colour.value.add(name=name, number=number)
    message = file.message_type.add(name="Box")
    for name, key, value in (("PaintsEntry", STRING, ENUM), ("BoxesEntry", INT32, MESSAGE)):
        entry = message.nested_type.add(name=name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=key, label=1)
        entry.field.add(
            name="value",
            number=2,
            type=value,
            label=1,
            type_name=".strict.Colour" if value == ENUM else ".strict.Box",
        )
    for number, (name, kind, label, type_name) in enumerate(
        (
            ("small", INT32, 1, ""),
            ("wide", INT64, 1, ""),
            ("natural", UINT32, 1, ""),
            ("flag", BOOL, 1, ""),
            ("colour", ENUM, 1, ".strict.Colour"),
            ("colours", ENUM, 3, ".strict.Colour"),
            ("inner", MESSAGE, 1, ".strict.Box"),
            ("inners", MESSAGE, 3, ".strict.Box"),
            ("paints", MESSAGE, 3, ".strict.Box.PaintsEntry"),
            ("boxes", MESSAGE, 3, ".strict.Box.BoxesEntry"),
            ("text", STRING, 1, ""),
            ("smalls", INT32, 3, ""),
        ),
        start=1,
    ):
        field = message.field.add(
            name=name,
            number=number,
            type=kind,
            label=label,
            type_name=type_name or None,
        )
        rules = field.options.Extensions[validate_pb2.field]
        if defined_only and name == "colour":
            rules.enum.defined_only = True
        elif defined_only and name == "colours":
            rules.repeated.items.enum.defined_only = True
        elif defined_only and name == "paints":
            rules.map.values.enum.defined_only = True
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("strict.Box"))


Box = make()
STRICT = Strictness(Box)
VALIDATION = Validation()


def check(raw: bytes) -> bytes:
    """Do what validation does with the request of a method that changes something."""
    request = Box.FromString(raw)
    canonical = STRICT.check(request, raw)
    VALIDATION._check(request, len(raw))
    return canonical


def refused(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(raw)
    return caught.value


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def good_texts(longest: int) -> st.SearchStrategy[str]:
    """Texts that a request may have: NUL is refused in every one."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=longest)


boxes = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "small": st.integers(-(2**31), 2**31 - 1),
            "wide": st.integers(-(2**63), 2**63 - 1),
            "natural": st.integers(0, 2**32 - 1),
            "flag": st.booleans(),
            "colour": st.integers(0, 2),
            "colours": st.lists(st.integers(0, 2), max_size=3),
            "text": good_texts(5),
            "smalls": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3),
            "paints": st.dictionaries(good_texts(3), st.integers(0, 2), max_size=3),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "inner": inner,
            "inners": st.lists(inner, max_size=3),
            "small": st.integers(-5, 5),
        },
    ),
    max_leaves=5,
)


@given(boxes)
def test_good_messages_pass_and_give_their_serialisation(content: dict[str, Any]) -> None:
    raw = Box(**content).SerializeToString(deterministic=True)
    assert check(raw) == raw


@given(boxes, boxes)
def test_the_twin_reads_and_writes_good_messages_alike(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    # Two serialisations joined parse as the merged message: not canonical, yet nothing is hidden
    # unless both have something that a message can have once.
    raw = Box(**one).SerializeToString() + Box(**other).SerializeToString()
    if any(repeated_fields(raw, cast("Any", Box.DESCRIPTOR))):
        assert isinstance(refused(raw), InvalidRequest)
    else:
        assert check(raw) == Box.FromString(raw).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "path",
    [(), (7,), (8,), (10, 2), (7, 8, 10, 2)],
    ids=["top", "message", "repeated", "map", "deep"],
)
@pytest.mark.parametrize("canonical", [True, False])
def test_unknown_fields_are_found_at_every_depth(path: tuple[int, ...], *, canonical: bool) -> None:
    raw = record(99, b"what is this")
    for number in reversed(path):
        raw = record(number, raw)
    if not canonical:
        raw += record(1, 0)
    refusal = refused(raw)
    assert refusal.reason == "UNKNOWN_FIELD"
    assert refusal.metadata["message"] == "strict.Box"


def test_a_known_field_of_another_wire_type_is_an_unknown_field() -> None:
    assert refused(record(1, b"not a number")).reason == "UNKNOWN_FIELD"


@pytest.mark.parametrize("value", [3, -1, 2**31 - 1, -(2**31), 2**32, 2**32 + 1, 2**40, 2**63])
@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (lambda v: record(5, v), "colour"),
        (lambda v: record(6, varint(v)), "colours[0]"),
        (lambda v: record(7, record(5, v)), "inner.colour"),
        (lambda v: record(8, b"") + record(8, record(5, v)), "inners[1].colour"),
        (lambda v: record(9, record(1, b"a") + record(2, v)), "paints[a]"),
        (lambda v: record(10, record(1, 4) + record(2, record(5, v))), "boxes[4].colour"),
    ],
    ids=["plain", "repeated", "in a message", "in a list", "map value", "in a map"],
)
def test_unknown_enum_values_are_found_wherever_they_are(value: int, raw: Any, field: str) -> None:
    refusal = refused(raw(value))
    assert refusal.reason == "UNKNOWN_ENUM_VALUE"
    assert refusal.metadata == {"field": field}
    assert refusal.field == field


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (record(1, 2**31), "small"),
        (record(1, 2**32), "small"),
        (record(3, 2**32), "natural"),
        (record(7, record(1, 2**40)), "inner.small"),
        (record(12, varint(1) + varint(2**40)), "smalls[1]"),
        (record(10, record(1, 2**33 + 4) + record(2, b"")), "boxes"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(raw: bytes, field: str) -> None:
    refusal = refused(raw)
    assert refusal.reason == "INVALID_REQUEST"
    assert field in refusal.message


def test_negative_numbers_fit() -> None:
    check(record(1, -1))
    check(record(2, -(2**63)))


@given(boxes, st.binary(max_size=12), st.integers(0, 200))
@example({}, record(5, 2**40), 0)
@settings(max_examples=400)
def test_what_passes_serialises_to_what_the_wide_twin_saw(
    content: dict[str, Any], noise: bytes, at: int
) -> None:
    raw = Box(**content).SerializeToString()
    at = min(at, len(raw))
    raw = raw[:at] + noise + raw[at:]
    try:
        canonical = check(raw)
    except (DecodeError, Refusal):
        return
    twin = wide_twin(Box.DESCRIPTOR).FromString(raw)
    assert twin.SerializeToString(deterministic=True) == canonical


def test_enums_that_the_rules_leave_open_fail_at_start() -> None:
    with pytest.raises(ValueError, match="defined_only") as caught:
        Strictness(make(defined_only=False))
    for field in ("strict.Box.colour", "strict.Box.colours", "strict.Box.paints"):
        assert field in str(caught.value)


def test_a_batch_of_the_contract_passes() -> None:
    request = transfers(1_000)
    raw = request.SerializeToString()
    assert Strictness(CreateTransfersRequest).check(request, raw) == raw


# -- What is given twice.


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (record(1, 1) + record(1, 2), "small"),
        (record(1, 1) + record(1, 1), "small"),
        (record(11, b"a") + record(1, 5) + record(11, b"b"), "text"),
        (record(7, record(1, 1)) + record(7, record(2, 1)), "inner"),
        (record(7, record(1, 1) + record(1, 1)), "inner.small"),
        (record(8, b"") + record(8, record(4, 1) + record(4, 0)), "inners[1].flag"),
        (record(10, record(1, 7) + record(2, b"")) * 2, "boxes"),
    ],
    ids=["number", "the same", "text", "message", "inside", "in a list", "key of a map"],
)
def test_what_is_given_twice_is_refused_by_its_path(raw: bytes, path: str) -> None:
    refusal = refused(raw)
    assert isinstance(refusal, InvalidRequest)
    assert [(one.field, one.rule) for one in refusal.violations] == [(path, "field.once")]


def test_lists_may_have_many_items_and_fields_any_order() -> None:
    check(record(12, 5) + record(12, 5) + record(8, b"") * 2 + record(6, 1) * 2 + record(1, 3))
    check(record(10, record(1, 7) + record(2, b"")) + record(10, record(1, 8) + record(2, b"")))


def test_both_arms_of_a_oneof_are_refused() -> None:
    strict = Strictness(CreateTransferRequest)
    both = Payee(account_id="a").SerializeToString() + Payee(phone_number="b").SerializeToString()
    raw = record(3, both)
    with pytest.raises(InvalidRequest) as caught:
        strict.check(CreateTransferRequest.FromString(raw), raw)
    assert caught.value.violations[0].field == "payee.phone_number"
