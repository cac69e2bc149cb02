"""The error classes: one for each reason of the contract."""

from __future__ import annotations

from textwrap import dedent, fill, indent
from typing import TYPE_CHECKING

from contract import camel_case

from longmen.errors.v1 import error_reason_pb2

if TYPE_CHECKING:
    from contract import Comments
    from google.protobuf.descriptor import EnumValueDescriptor

PREFIX = "ERROR_REASON_"


def error_module(comments: Comments, marker: str) -> str:
    """The module with a class for each reason and the table of them."""
    enum = error_reason_pb2.ErrorReason.DESCRIPTOR
    reasons = [
        (value.name.removeprefix(PREFIX), value, comments.of_value(enum, index))
        for index, value in enumerate(enum.values)
        if value.number
    ]
    codes = sorted({_base(value) for _, value, _ in reasons})
    names = [camel_case(reason) for reason, _, _ in reasons]
    parts = [
        marker,
        "from __future__ import annotations\n\n",
        "from typing import TYPE_CHECKING\n\n",
        "from longmen_client._errors import (\n",
        *(f"    {name},\n" for name in sorted([*codes, "LongmenError", "RetryAdvice"])),
        ")\n\n",
        "if TYPE_CHECKING:\n    from collections.abc import Mapping\n\n",
        "__all__ = [\n",
        *(f'    "{name}",\n' for name in sorted(names)),
        "]\n",
        *(_class(reason, value, comment) for reason, value, comment in reasons),
        "\n\nBY_REASON: Mapping[str, type[LongmenError]] = {\n",
        *(f'    "{reason}": {camel_case(reason)},\n' for reason, _, _ in reasons),
        "}\n",
        '"""The class of each reason of the contract."""\n',
    ]
    return "".join(parts)


def _rule(value: EnumValueDescriptor) -> error_reason_pb2.ReasonRule:
    return value.GetOptions().Extensions[error_reason_pb2.rule]


def _base(value: EnumValueDescriptor) -> str:
    return camel_case(_rule(value).code) + "Error"


def _class(reason: str, value: EnumValueDescriptor, comment: str) -> str:
    rule = _rule(value)
    advice = error_reason_pb2.RetryAdvice.Name(rule.retry).removeprefix("RETRY_ADVICE_")
    keys = "".join(f'"{key}", ' for key in rule.metadata_keys)
    meaning = comment.partition(": ")[2]
    text = fill(f'"""{meaning[:1].upper()}{meaning[1:]}', 92)
    if "\n" in text:
        text += "\n"
    body = dedent(
        f"""\
        reason = "{reason}"
        retry_advice = RetryAdvice.{advice}
        """
    )
    if keys:
        body += f"metadata_keys = ({keys.rstrip()})\n"
    return f"\n\nclass {camel_case(reason)}({_base(value)}):\n" + indent(
        f'{text}"""\n\n{body}', "    "
    )
