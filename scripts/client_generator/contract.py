"""The contract as the generator reads it: descriptors, and the comments beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from google.protobuf.descriptor import (
        Descriptor,
        EnumDescriptor,
        FileDescriptor,
        ServiceDescriptor,
    )

_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
"""Numbers of the fields of FileDescriptorProto that a comment's path begins with."""
_CHILDREN = 2
"""Number of the field with fields of a message, methods of a service and values of an enum."""


@dataclass(frozen=True)
class Comments:
    """The comment of every element, by the file it stands in and its path there."""

    by_place: dict[tuple[str, tuple[int, ...]], str]

    @classmethod
    def read(cls, descriptor_set: Path) -> Comments:
        """Read a descriptor set that was made with --include_source_info."""
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
        return cls(
            {
                (file.name, tuple(location.path)): _one_text(location.leading_comments)
                for file in files.file
                for location in file.source_code_info.location
                if location.leading_comments
            }
        )

    def of_service(self, service: ServiceDescriptor) -> str:
        """The comment of a service."""
        return self._at(service.file, (_SERVICES, _place(service)))

    def of_method(self, service: ServiceDescriptor, index: int) -> str:
        """The comment of a method by its place in its service."""
        return self._at(service.file, (_SERVICES, _place(service), _CHILDREN, index))

    def of_field(self, message: Descriptor, index: int) -> str:
        """The comment of a field by its place in a top-level message."""
        return self._at(message.file, (_MESSAGES, _place(message), _CHILDREN, index))

    def of_value(self, enum: EnumDescriptor, index: int) -> str:
        """The comment of a value by its place in a top-level enum."""
        return self._at(enum.file, (_ENUMS, _place(enum), _CHILDREN, index))

    def _at(self, file: FileDescriptor, path: tuple[int, ...]) -> str:
        return self.by_place.get((file.name, path), "")


def _place(element: Descriptor | EnumDescriptor | ServiceDescriptor) -> int:
    """The place of a top-level element among its file's elements of the same sort."""
    file = element.file
    siblings = (file.message_types_by_name, file.enum_types_by_name, file.services_by_name)
    return next(list(names).index(element.name) for names in siblings if element.name in names)


def _one_text(comment: str) -> str:
    return " ".join(line.strip() for line in comment.strip().splitlines())


def sentences(text: str) -> Iterator[str]:
    """The sentences of a comment."""
    yield from re.split(r"(?<=[.!?]) (?=[A-Z])", text)


def snake_case(name: str) -> str:
    """CreateAccounts becomes create_accounts."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    """INSUFFICIENT_FUNDS becomes InsufficientFunds."""
    return "".join(word.capitalize() for word in name.split("_"))


def without_name(text: str) -> str:
    """A comment without its first word, the element's name, as a sentence of its own."""
    _, _, rest = text.partition(" ")
    return rest[:1].upper() + rest[1:]
