"""Which fields of the contract are secrets: those with the option `debug_redact`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

__all__ = ["has_secrets", "secret_fields"]


def secret_fields(descriptor: Descriptor) -> Iterator[FieldDescriptor]:
    """Yield every secret field of a message type, and of the types within it."""
    types = {descriptor.full_name: descriptor}
    pending = [descriptor]
    while pending:
        for field in pending.pop().fields:
            if field.GetOptions().debug_redact:
                yield field
            inner = field.message_type
            if inner is not None and inner.full_name not in types:
                types[inner.full_name] = inner
                pending.append(inner)


def has_secrets(descriptor: Descriptor) -> bool:
    """Whether a message of the type can carry a secret."""
    return next(secret_fields(descriptor), None) is not None
