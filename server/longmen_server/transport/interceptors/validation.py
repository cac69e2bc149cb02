"""From bytes to a request that keeps its contract, or to a refusal that says why not.

The bytes are received and parsed here and not by gRPC, whose own answer to malformed ones no
interceptor can shape. Requests that change something are read strictly
(`longmen_server.transport.strictness`), and those with a request id get their fingerprint. The
rules stand in the contract and are compiled at start-up, so a rule that does not compile stops the
server and no caller pays for the first compilation. A good request is recognised by what
`longmen_server.transport.acceptance` has made of the rules; any other goes to protovalidate.
"""

from __future__ import annotations

import asyncio
import functools
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import protovalidate
from google.protobuf.message import DecodeError

from longmen_server.platform.fingerprint import fingerprint
from longmen_server.platform.refusal import Refusal
from longmen_server.transport.acceptance import compile_acceptance
from longmen_server.transport.method import REQUEST_ID_FIELD, MethodError
from longmen_server.transport.secrecy import has_secrets
from longmen_server.transport.status import VIOLATIONS_MAX, FieldViolation, InvalidRequest
from longmen_server.transport.strictness import Strictness, unknown_enum
from longmen_server.transport.texts import unnormalized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from longmen_server.transport.chain import Step
    from longmen_server.transport.context import Call
    from longmen_server.transport.method import Method

EXHAUSTIVE_BYTES_MAX = 16_384
"""Largest request, in bytes, whose violations are all collected. Of a larger one only the first is
told: a batch of a thousand broken items would otherwise hold up the event loop for longer than a
good one."""

UNDEFINED_RULE = "enum.defined_only"
"""Id of the rule that an enum value outside the contract breaks; it has a reason of its own."""


class Validation:
    """Parses and validates requests."""

    name = "validation"

    def __init__(
        self, secret_fingerprint_key: bytes | None = None, *, receive_timeout_s: float = 5.0
    ) -> None:
        """Begin with no rule compiled; `wrap` compiles those of each method.

        Args:
            secret_fingerprint_key: Keys the fingerprints of requests with secrets; without it no
                repeatable method can take any.
            receive_timeout_s: Seconds that a request has to come in.
        """
        self._receive_timeout_s = receive_timeout_s
        self._validator = _validator()
        self._secret_fingerprint_key = secret_fingerprint_key

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step for a method; raise MethodError for a rule that does not compile."""
        self._warm(method)
        parse = self._parser(method)
        accepts = compile_acceptance(method.request_class)
        check = self._check if accepts is None else _quickly(accepts, self._check)
        timeout_s = self._receive_timeout_s
        if not method.writes:

            async def read(call: Call, _: None) -> bytes:
                payload = await receive(call, timeout_s)
                request = parse(payload)
                check(request, len(payload))
                return await proceed(call, request)

            return read

        strict = self._strictness(method).check
        number = 0
        if method.repeatable:
            number = method.request_class.DESCRIPTOR.fields_by_name[REQUEST_ID_FIELD].number
        key = self._fingerprint_key(method)

        async def write(call: Call, _: None) -> bytes:
            payload = await receive(call, timeout_s)
            request = parse(payload)
            canonical = strict(request, payload)
            check(request, len(payload))
            if number:
                call.request_id = request.request_id  # type: ignore[attr-defined]
                call.request_digest = fingerprint(canonical, skip=number, key=key)
            return await proceed(call, request)

        return write

    def _warm(self, method: Method) -> None:
        """Compile the rules of the method's request; demand one for the request id."""
        try:
            violations = self._validator.collect_violations(method.request_class())
        except protovalidate.CompilationError as fault:
            message = f"{method.path}: a rule of its request does not compile: {fault}"
            raise MethodError(message) from fault
        told = {_path(violation) for violation in violations}
        if method.repeatable and REQUEST_ID_FIELD not in told:
            message = f"{method.path}: its contract lets the {REQUEST_ID_FIELD} be empty"
            raise MethodError(message)

    def _fingerprint_key(self, method: Method) -> bytes | None:
        """Return the key of the method's fingerprints; None when its requests have no secrets."""
        if not method.repeatable or not has_secrets(
            cast("Descriptor", method.request_class.DESCRIPTOR)
        ):
            return None
        if self._secret_fingerprint_key is None:
            message = f"{method.path}: takes secrets, and there is no key for its fingerprints"
            raise MethodError(message)
        return self._secret_fingerprint_key

    def _strictness(self, method: Method) -> Strictness:
        """Return the strict reader of the method's request."""
        try:
            return Strictness(method.request_class)
        except ValueError as fault:
            message = f"{method.path}: {fault}"
            raise MethodError(message) from fault

    def _parser(self, method: Method) -> Callable[[bytes], Message]:
        """Return the function that turns bytes within the method's bound into a request."""
        from_string = method.request_class.FromString
        limit = method.request_bytes_max

        def parse(payload: bytes) -> Message:
            if len(payload) > limit:
                raise Refusal(
                    "REQUEST_TOO_LARGE",
                    f"the request is larger than the {limit} bytes this method takes",
                    metadata={"limit_bytes": str(limit)},
                )
            try:
                return from_string(payload)
            except DecodeError:
                raise Refusal(
                    "MALFORMED_REQUEST", "the bytes are not a message of the method's request type"
                ) from None

        return parse

    def _check(self, request: Message, size: int) -> None:
        """Raise InvalidRequest if the request breaks a rule of its contract."""
        violations = self._validator.collect_violations(
            request, fail_fast=size > EXHAUSTIVE_BYTES_MAX
        )
        if violations:
            raise _refusal(violations)
        spelled = list(unnormalized(request))
        if spelled:
            raise InvalidRequest(spelled)


@functools.cache
def _validator() -> protovalidate.Validator:
    """Return the process's validator: what it has compiled serves every server of the process."""
    return protovalidate.Validator()


def _quickly(
    accepts: Callable[[Message], bool], check: Callable[[Message, int], None]
) -> Callable[[Message, int], None]:
    """Return a check that looks closely only at what is not recognised as good."""

    def checked(request: Message, size: int) -> None:
        if not accepts(request):
            check(request, size)

    return checked


async def receive(call: Call, timeout_s: float) -> bytes:
    """Return the request's bytes, once they have come in.

    Raises:
        Refusal: QUOTA_EXCEEDED when they do not; MALFORMED_REQUEST, and what says that the proof
            or signature was made for others.
    """
    scope = asyncio.timeout(timeout_s)
    try:
        async with scope:
            payload = await call.wire.read()
    except TimeoutError:
        if not scope.expired():
            raise
        raise Refusal(
            "QUOTA_EXCEEDED",
            "the request did not come in after its call was begun; nothing was done",
            metadata={"quota": "receive_seconds", "limit": str(timeout_s)},
        ) from None
    if not isinstance(payload, bytes):
        raise Refusal("MALFORMED_REQUEST", "the call ended without a whole message")
    if call.body_digest is not None and sha256(payload).digest() != call.body_digest:
        raise Refusal("PROOF_INVALID", "the proof was made for another request")
    if call.signed_digest is not None and sha256(payload).digest() != call.signed_digest:
        raise Refusal("SIGNATURE_INVALID", "the signature was made for another request")
    return payload


def _refusal(violations: Sequence[protovalidate.Violation]) -> Refusal:
    """Return the refusal of a request that breaks rules of its contract."""
    told = [
        FieldViolation(
            field=_path(violation),
            description=violation.proto.message,
            rule=violation.proto.rule_id,
        )
        for violation in violations[:VIOLATIONS_MAX]
    ]
    undefined = next((one for one in told if one.rule == UNDEFINED_RULE), None)
    return InvalidRequest(told) if undefined is None else unknown_enum(undefined.field)


def _path(violation: protovalidate.Violation) -> str:
    """Return the dotted path of the violating field, "transfers[3].amount.minor_units"."""
    path = ""
    field = violation.proto.field
    for element in field.elements if field is not None else ():
        path += f".{element.field_name}" if path else element.field_name
        subscript = element.subscript
        if subscript is not None:
            path += f"[{subscript.value}]"
    return path
