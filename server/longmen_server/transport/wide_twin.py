"""The wide twin of a message type: the same message with 64-bit numbers and enums.

Parsing a request as its own type silently cuts a varint to the width of its field; parsing it as
the twin does not, and both read and write the same encoding otherwise. So the two serialise to the
same bytes if and only if no number was cut. The twins live in descriptor pools of their own and are
seen by nobody else.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto

WIDENED = {
    _Field.TYPE_INT32: _Field.TYPE_INT64,
    _Field.TYPE_UINT32: _Field.TYPE_UINT64,
    _Field.TYPE_SINT32: _Field.TYPE_SINT64,
    _Field.TYPE_ENUM: _Field.TYPE_INT64,
}
"""Field types that lose bits when parsed, and the types of the same encoding that do not."""


def wide_twin(descriptor: Descriptor) -> type[Message]:
    """Return the class of the wide twin of a message type."""
    pool = _twin_pool(descriptor.file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(descriptor.full_name))


@cache
def _twin_pool(file: FileDescriptor) -> descriptor_pool.DescriptorPool:
    """Build the pool with the twins of all message types of a file and of those they hold."""
    files: dict[str, FileDescriptor] = {}
    pending = [file]
    while pending:
        found = pending.pop()
        if found.name not in files:
            files[found.name] = found
            pending.extend(_files_held(found.message_types_by_name.values()))
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()

    def add(one: FileDescriptor) -> None:
        if one.name in added or one.name not in files:
            return
        added.add(one.name)
        for dependency in one.dependencies:
            add(dependency)
        pool.AddSerializedFile(_widened(one, frozenset(files)).SerializeToString())

    for one in files.values():
        add(one)
    return pool


def _files_held(messages: Iterable[Descriptor]) -> Iterator[FileDescriptor]:
    """Yield the files whose message types occur as fields of the messages."""
    for message in messages:
        yield from _files_held(message.nested_types)
        for field in message.fields:
            if field.message_type is not None:
                yield field.message_type.file


def _widened(file: FileDescriptor, kept: frozenset[str]) -> descriptor_pb2.FileDescriptorProto:
    """Copy a file with widened fields and without what parsing does not need."""
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    for part in ("options", "extension", "service", "public_dependency", "weak_dependency"):
        proto.ClearField(part)
    dependencies = [name for name in proto.dependency if name in kept]
    del proto.dependency[:]
    proto.dependency.extend(dependencies)
    for message in proto.message_type:
        _widen(message)
    return proto


def _widen(message: descriptor_pb2.DescriptorProto) -> None:
    """Widen the fields of a message and of those nested in it."""
    for nested in message.nested_type:
        _widen(nested)
    is_map_entry = message.options.map_entry
    message.ClearField("options")
    if is_map_entry:
        message.options.map_entry = True
    message.ClearField("extension")
    for field in message.field:
        field.ClearField("options")
        if field.type in WIDENED:
            field.type = WIDENED[field.type]
            field.ClearField("type_name")
            field.ClearField("default_value")
