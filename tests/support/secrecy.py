"""Secrets as they go over the wire, and whether a text has any of them in whatever form."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import grpc.aio

from tests.support.small_bank import reply_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

    from longmen_server.transport.method import Method
    from tests.support.small_bank import Answer, SmallBank

SHORT = 8
"""Characters below which a secret can stand somewhere by chance."""


def secret_paths(descriptor: Any, before: str = "") -> Iterator[str]:
    """Dotted paths of the fields of a message that are marked debug_redact."""
    for field in descriptor.fields:
        if field.GetOptions().debug_redact:
            yield before + field.name
        elif field.message_type is not None and field.message_type.file.package.startswith(
            "longmen."
        ):
            yield from secret_paths(field.message_type, f"{before}{field.name}.")


def secrets_in(message: Message, before: str = "") -> Iterator[tuple[str, str]]:
    """Path and value of every secret that is set in a message."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.GetOptions().debug_redact:
            for one in values:
                yield before + field.name, one.decode("latin-1") if isinstance(one, bytes) else one
        elif field.message_type is not None:
            for one in values:
                yield from secrets_in(one, f"{before}{field.name}.")


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, in hexadecimal, and in base64 wherever it begins in a longer text."""
    data = secret.encode()
    yield data.hex()
    yield secret
    if len(secret) < SHORT:
        return
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data).decode().rstrip("=")
        # The first and the last characters hold bits of the neighbours.
        inner = text[(0, 2, 3)[shift] : -1]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def stands_in(content: str, secret: str) -> bool:
    """Whether a text has a secret in any form.

    A short one has to be a word of its own: not within a number, nor within the digits of an id.
    """
    if not any(form in content for form in forms(secret)):
        return False
    if len(secret) >= SHORT or secret.encode().hex() in content:
        return True
    word = rf"(?<![0-9A-Za-z.]){re.escape(secret)}(?![0-9A-Za-z])"
    return re.search(word, content) is not None


def found_in(content: str, secrets: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Paths and values of the secrets that stand in a text in any form."""
    return [
        (path, secret)
        for path, values in secrets.items()
        for secret in values
        if stands_in(content, secret)
    ]


class Recorder:
    """Keeps the secrets that a bank's calls carry, and everything its refusals say."""

    def __init__(self, bank: SmallBank) -> None:
        self.secrets: dict[str, set[str]] = {}
        self.refusals: list[str] = []
        self._call = bank.call
        bank.call = self.call  # type: ignore[method-assign]  # it is looked over its shoulder

    def note(self, method: Method, message: Message) -> None:
        for path, value in secrets_in(message):
            if value:
                self.secrets.setdefault(f"{method.name}.{path}", set()).add(value)

    async def call(self, method: Method, request: Message | bytes, token: str | None) -> Answer:
        """As the bank's own."""
        if not isinstance(request, bytes):
            self.note(method, request)
        try:
            answer = await self._call(method, request, token)
        except grpc.aio.AioRpcError as error:
            trailers: Any = error.trailing_metadata() or ()
            said = [str(error.details()), *(f"{key}: {value!r}" for key, value in trailers)]
            self.refusals.append("\n".join(said))
            raise
        for message in answer.messages:
            self.note(method, reply_class(method).FromString(message))
        return answer
