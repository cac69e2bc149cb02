"""Typed method wrappers: one class for each service, with a keyword for each field of a request."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill, indent
from typing import TYPE_CHECKING

import protovalidate
from contract import camel_case, sentences, snake_case, without_name
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from longmen.type.v1 import policy_pb2

if TYPE_CHECKING:
    from contract import Comments
    from google.protobuf.descriptor import (
        Descriptor,
        EnumDescriptor,
        MethodDescriptor,
        ServiceDescriptor,
    )

MONEY = "longmen.type.v1.Money"
CONVERTED = {
    MONEY: ("Money", "wire_money"),
    "google.protobuf.Timestamp": ("datetime", "wire_time"),
    "google.protobuf.Duration": ("timedelta", "wire_span"),
}
"""Messages that callers give as types of Python, and the function that makes the message."""

_INTEGERS = {
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
}
_SCALARS = {
    FieldDescriptor.TYPE_STRING: ("str", '""'),
    FieldDescriptor.TYPE_BOOL: ("bool", "False"),
    FieldDescriptor.TYPE_BYTES: ("bytes", 'b""'),
    **dict.fromkeys(_INTEGERS, ("int", "0")),
}


@dataclass(frozen=True)
class Parameter:
    """A keyword of a wrapper."""

    name: str
    annotation: str
    default: str | None
    """None makes the keyword required."""
    expression: str
    """What goes into the request."""
    comment: str


def area(service: ServiceDescriptor) -> str:
    """LedgerService becomes ledger."""
    return snake_case(service.name.removesuffix("Service"))


def constant(service: ServiceDescriptor, method: MethodDescriptor) -> str:
    """Name of the constant that describes a method."""
    return f"{area(service)}_{snake_case(method.name)}".upper()


def method_module(services: list[ServiceDescriptor], marker: str) -> str:
    """The module with a constant for each method, shared by both stacks."""
    modules = sorted({_module(message) for service in services for message in _messages(service)})
    lines = [
        marker,
        "from __future__ import annotations\n\n",
        *_imports(modules),
        "from longmen_client._methods import Method, method\n",
    ]
    for service in services:
        lines.append("\n")
        for method in service.methods:
            types = f"{_type(method.input_type)}, {_type(method.output_type)}"
            lines.append(
                f"{constant(service, method)}: Method[{types}] = method("
                f'{_alias(_module(service))}.DESCRIPTOR, "{service.name}", "{method.name}")\n'
            )
    return "".join(lines)


def service_module(service: ServiceDescriptor, comments: Comments, marker: str) -> str:
    """The module with the asyncio wrapper of one service."""
    body = "".join(_method(service, method, comments) for method in service.methods)
    modules = sorted(
        {_module(message) for message in _messages(service)}
        | {
            _module(named)
            for method in service.methods
            for field in method.input_type.fields
            if (named := _named_type(field)) is not None
        }
        | {
            _module(items.message_type)
            for method in service.methods
            if "page_token" in method.input_type.fields_by_name
            and (items := method.output_type.fields[0]).message_type is not None
        }
    )
    header = fill(comments.of_service(service), 92)
    # What parameters are of is needed by type checkers only, unless its package is used anyway.
    used = {_module(message).rpartition(".")[0] for message in _messages(service)}
    typed = [each for each in modules if each.rpartition(".")[0] not in used]
    return "".join(
        [
            marker,
            "from __future__ import annotations\n\n",
            "from typing import TYPE_CHECKING\n\n",
            *_imports([each for each in modules if each not in typed]),
            "from longmen_client._async.pager import AsyncPager\n" * ("AsyncPager[" in body),
            "from longmen_client._generated import methods\n",
            *_wire_import(body),
            "from longmen_client.ids import new_request_id\n" * ("new_request_id" in body),
            "\nif TYPE_CHECKING:\n",
            "    from collections.abc import Iterable\n" * ("Iterable[" in body),
            *_time_import(body),
            *(f"    {line}" for line in _imports(typed)),
            "    from longmen_client._async.caller import AsyncCaller\n",
            "    from longmen_client._async.stream import AsyncStream\n" * ("AsyncStream[" in body),
            "    from longmen_client._config import CallOptions\n",
            "    from longmen_client._reply import Reply\n" * ("Reply[" in body),
            "    from longmen_client.money import Money\n" * (": Money" in body),
            f"\n\nclass Async{camel_case(area(service))}:\n",
            indent(f'"""{header}\n"""\n\n', "    "),
            "    def __init__(self, caller: AsyncCaller) -> None:\n",
            "        self._caller = caller\n",
            body,
        ]
    )


def _wire_import(body: str) -> list[str]:
    used = [name for _, name in CONVERTED.values() if f"{name}(" in body]
    return [f"from longmen_client._wire import {', '.join(sorted(used))}\n"] if used else []


def _time_import(body: str) -> list[str]:
    used = [name for name in ("datetime", "timedelta") if f": {name}" in body]
    return [f"    from datetime import {', '.join(used)}\n"] if used else []


def _imports(modules: list[str]) -> list[str]:
    return [f"from {module.rpartition('.')[0]} import {_alias(module)}\n" for module in modules]


def _messages(service: ServiceDescriptor) -> list[Descriptor]:
    return [
        type_ for method in service.methods for type_ in (method.input_type, method.output_type)
    ]


def _module(element: Descriptor | EnumDescriptor | ServiceDescriptor) -> str:
    return element.file.name.removesuffix(".proto").replace("/", ".") + "_pb2"


def _alias(module: str) -> str:
    return module.rpartition(".")[2]


def _type(message: Descriptor | EnumDescriptor) -> str:
    path = message.full_name.removeprefix(f"{message.file.package}.")
    return f"{_alias(_module(message))}.{path}"


def _named_type(field: FieldDescriptor) -> Descriptor | EnumDescriptor | None:
    """The type of a field that has to be imported by name, if any."""
    named = field.message_type or field.enum_type
    return None if named is None or named.full_name in CONVERTED else named


def _required(message: Descriptor) -> set[str]:
    """Fields that an empty request is refused for."""
    violations = protovalidate.Validator().collect_violations(GetMessageClass(message)())
    return {
        violation.proto.field.elements[0].field_name
        for violation in violations
        if violation.proto.field is not None and violation.proto.field.elements
    }


def _parameters(method: MethodDescriptor, comments: Comments) -> list[Parameter]:
    message = method.input_type
    required = _required(message)
    found = [
        _parameter(field, comments.of_field(message, field.index), required=field.name in required)
        for field in message.fields
    ]
    # A caller thinks of what must be said first; the request id is made when none is given.
    found.sort(key=lambda one: (one.name == "request_id", one.default is not None))
    return found


def _parameter(field: FieldDescriptor, comment: str, *, required: bool) -> Parameter:
    name = field.name
    if name == "request_id":
        return Parameter(name, "str | None", "None", "request_id or new_request_id()", comment)
    annotation, default, expression = _python(field)
    if required:
        annotation = annotation.removesuffix(" | None")
    return Parameter(name, annotation, None if required else default, expression, comment)


def _python(field: FieldDescriptor) -> tuple[str, str, str]:
    """Annotation, default and expression of a field."""
    name = field.name
    full_name = field.message_type.full_name if field.message_type else ""
    if field.is_repeated:
        return f"Iterable[{_element(field)}]", "()", name
    if full_name in CONVERTED:
        annotation, function = CONVERTED[full_name]
        return f"{annotation} | None", "None", f"{function}({name})"
    if field.has_presence:
        return f"{_element(field)} | None", "None", name
    if field.enum_type is not None:
        zero = f"{_alias(_module(field.enum_type))}.{field.enum_type.values[0].name}"
        return _element(field), zero, name
    return *_SCALARS[field.type], name


def _element(field: FieldDescriptor) -> str:
    """Annotation of one value of a field."""
    if field.message_type is not None:
        return _type(field.message_type)
    if field.enum_type is not None:
        return f"{_type(field.enum_type)}.ValueType"
    return _SCALARS[field.type][0]


def _method(service: ServiceDescriptor, method: MethodDescriptor, comments: Comments) -> str:
    parameters = _parameters(method, comments)
    request = _type(method.input_type)
    policy = method.GetOptions().Extensions[policy_pb2.method_policy]
    word, result, call = _call(service, method, policy)
    signature = ["self", "*"]
    for one in parameters:
        default = "" if one.default is None else f" = {one.default}"
        signature.append(f"{one.name}: {one.annotation}{default}")
    signature.append("options: CallOptions | None = None")
    arguments = ", ".join(f"{one.name}={one.expression}" for one in parameters)
    comment = comments.of_method(service, method.index)
    return (
        f"\n    {word}def {snake_case(method.name)}({', '.join(signature)},) -> {result}:\n"
        + indent(_docstring(comment, parameters, policy), "        ")
        + f"        request = {request}({arguments})\n"
        + f"        return {call}\n"
    )


def _call(
    service: ServiceDescriptor, method: MethodDescriptor, policy: policy_pb2.MethodPolicy
) -> tuple[str, str, str]:
    """How a wrapper begins, what it returns and how it gets that."""
    response = _type(method.output_type)
    described = f"methods.{constant(service, method)}"
    if method.server_streaming:
        call = f"self._caller.open({described}, request, options)"
        return "", f"AsyncStream[{response}]", call
    if "page_token" in method.input_type.fields_by_name:
        items = method.output_type.fields[0]
        call = f'AsyncPager(self._caller, {described}, request, "{items.name}", options)'
        return "", f"AsyncPager[{_element(items)}, {response}]", call
    if policy.idempotency == policy_pb2.IDEMPOTENCY_CLASS_REQUEST_ID:
        call = f"await self._caller.change({described}, request, request.request_id, options)"
        return "async ", f"Reply[{response}]", call
    return "async ", response, f"await self._caller.ask({described}, request, options)"


def _docstring(comment: str, parameters: list[Parameter], policy: policy_pb2.MethodPolicy) -> str:
    text, _, reasons = comment.partition(" Reasons: ")
    first, *rest = sentences(without_name(text))
    lines = [fill(f'"""{first}', 92)]
    if rest:
        lines += ["", fill(" ".join(rest), 92)]
    if parameters:
        lines += ["", "Args:"]
        lines += [_item(one.name, one.comment) for one in parameters]
        lines += [_item("options", "What this call does differently from the configuration.")]
    lines += ["", "Raises:"]
    lines += [_item("LongmenError", _raised(reasons))]
    deadline = f"{policy.default_deadline_ms} ms, at most {policy.maximum_deadline_ms} ms"
    lines += ["", f"Scope: {policy.scope}. Deadline: {deadline}.", '"""']
    return "\n".join(lines) + "\n"


def _raised(reasons: str) -> str:
    if not reasons:
        return "the call did not succeed."
    return f"the call did not succeed; of its own reasons: {reasons}"


def _item(name: str, text: str) -> str:
    filled = fill(f"{name}: {text}", 88, subsequent_indent="    ")
    return indent(filled, "    ")
