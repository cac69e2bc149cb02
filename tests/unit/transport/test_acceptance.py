"""The fast yes of the edge and the last word of protovalidate are the same word."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import protovalidate
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from buf.validate import validate_pb2
from longmen_server.transport import acceptance
from longmen_server.transport.acceptance import compile_acceptance
from longmen_server.transport.texts import unnormalized
from tests.support.messages import good_message, messages_in, spoil
from tests.support.rpcs import METHODS, short

if TYPE_CHECKING:
    from longmen_server.transport.method import Method

VALIDATOR = protovalidate.Validator()
ACCEPTS = {short(method): compile_acceptance(method.request_class) for method in METHODS}


def is_good(request: Any) -> bool:
    violations = VALIDATOR.collect_violations(request, fail_fast=True)
    return not violations and not list(unnormalized(request))


def has_odd_duration(request: Any) -> bool:
    """Whether a duration has nanoseconds beyond a second, or against its seconds."""
    durations = [
        value
        for message in messages_in(request)
        for field, value in message.ListFields()
        if field.message_type is not None and field.message_type.name == "Duration"
    ]
    return any(not 0 <= value.nanos < 1_000_000_000 for value in durations)


@pytest.mark.parametrize("method", METHODS, ids=short)
def test_a_good_request_of_every_method_is_recognised(method: Method) -> None:
    accepts = ACCEPTS[short(method)]
    assert accepts is not None, "a rule that acceptance.py does not know slows its method down"
    assert accepts(good_message(method.request_class))


@pytest.mark.parametrize("method", METHODS, ids=short)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 4))
def test_what_is_accepted_is_what_protovalidate_accepts(
    method: Method, seed: int, steps: int
) -> None:
    accepts = ACCEPTS[short(method)]
    assert accepts is not None
    chance = random.Random(seed)
    request = good_message(method.request_class)
    for _ in range(steps):
        spoil(request, chance)
    if accepts(request):
        assert is_good(request), request
    else:
        # Only what no client library makes is left to protovalidate although it is good.
        assert not is_good(request) or has_odd_duration(request), request


# -- Rules that are not known are left alone.


def message_with(**rules: Any) -> Any:
    """The class of a message with one text under the rules given."""
    file = descriptor_pb2.FileDescriptorProto(
        name="odd.proto", package="longmen.odd", syntax="proto3"
    )
    message = file.message_type.add(name="Odd")
    field = message.field.add(
        name="text",
        number=1,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
    )
    options = validate_pb2.FieldRules(**rules)
    field.options.Extensions[validate_pb2.field].CopyFrom(options)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("longmen.odd.Odd"))


@pytest.mark.parametrize(
    "rules",
    [
        {"string": {"email": True}},
        {"string": {"pattern": r"^\d+$"}},
        {"string": {"pattern": "^a.c$"}},
        {"string": {"pattern": "^a|b$"}},
        {"string": {"pattern": "abc"}},
        {"cel": [{"id": "odd", "expression": "this.size() % 2 == 1"}]},
    ],
    ids=["email", "digit class", "dot", "alternatives", "no anchors", "an expression"],
)
def test_a_type_with_an_unknown_rule_has_no_fast_way(rules: dict[str, Any]) -> None:
    assert compile_acceptance(message_with(**rules)) is None


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        ({"string": {"pattern": "^[A-Z]{3}$"}}, "CNY", "CNY\n"),
        ({"string": {"max_bytes": 5}}, "人a", "人人"),
        ({"string": {"min_bytes": 4}}, "人a", "人"),
        ({"string": {"len": 2}}, "人a", "人"),
        ({"string": {"in": ["a", "b"]}}, "a", "c"),
        ({"string": {"not_in": ["a"]}}, "b", "a"),
        ({"required": True}, "a", ""),
    ],
    ids=["pattern", "max_bytes", "min_bytes", "len", "in", "not_in", "required"],
)
def test_rules_of_texts(rules: dict[str, Any], good: str, bad: str) -> None:
    made = message_with(**rules)
    accepts = compile_acceptance(made)
    assert accepts is not None
    assert accepts(made(text=good))
    assert not accepts(made(text=bad))


def test_an_expression_is_known_by_its_whole_text() -> None:
    # A changed rule must not be taken for the one that was translated.
    for expression in acceptance.EXPRESSIONS:
        with pytest.raises(acceptance._UnknownRuleError):
            acceptance._translated(f"{expression} ", "m")
