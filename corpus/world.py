"""What the cases talk about: the methods, good requests for them, and ids that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from corpus.case import request_id
from longmen.type.v1 import rules_pb2
from tests.support.messages import MESSAGE, TEXT, good_message, messages_in, rules_of
from tests.support.rpcs import METHODS as EVERY_METHOD
from tests.support.rpcs import only_proposed, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.transport.method import Method

CLOCK: Final = "AdminService/SetClock"
"""The method whose good requests are not sent: they would move every later case in time."""

SEALED: Final = ("page_token", "cursor", "at_least_as_fresh")
"""Fields with texts that only the server can make; good requests go without."""

METHODS: Final = tuple(method for method in EVERY_METHOD if not only_proposed(method))
"""Every method that is called; what staff only propose is not, and none of it is looked at."""


def is_safe(method: Method) -> bool:
    """Whether good requests of a method are sent."""
    return short(method) != CLOCK


SAFE: Final = tuple(method for method in METHODS if is_safe(method))
"""The methods whose good requests are sent."""


_BASES: Final[dict[tuple[World, str], bytes]] = {}
"""Serialised, by world and method: a hundred thousand cases begin with them."""


@dataclass(frozen=True, slots=True)
class World:
    """Ids of a server's books that the cases may name; what becomes of them does not matter."""

    account: str
    other_account: str
    customer: str
    transaction: str
    payer: str
    payee: str
    """Accounts that stay as they are: no case names them but to pay from one to the other."""

    def base(self, method: Method, *parts: str) -> Any:
        """A request that keeps every rule and names what exists; its request id is the parts'."""
        key = (self, method.path)
        if key not in _BASES:
            _BASES[key] = self._make_base(method).SerializeToString(deterministic=True)
        message: Any = method.request_class.FromString(_BASES[key])
        if method.repeatable:
            setattr(message, "request_id", request_id(short(method), *parts))  # noqa: B010
        return message

    def paths(self, method: Method) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Every field of a method's good requests and below, with the names that lead there."""
        message = self.base(method)
        yield from paths(message)
        for name in SEALED:
            if name in message.DESCRIPTOR.fields_by_name:
                yield (name,), message.DESCRIPTOR.fields_by_name[name]

    def _make_base(self, method: Method) -> Any:
        """A base without a request id of its own."""
        message = good_message(method.request_class)
        for inside in messages_in(message):
            accounts = iter((self.account, self.other_account))
            for field, _ in inside.ListFields():
                known = self._known(field, accounts)
                if known and field.is_repeated:
                    getattr(inside, field.name)[0] = known
                elif known:
                    setattr(inside, field.name, known)
        for name in SEALED:
            if name in message.DESCRIPTOR.fields_by_name:
                message.ClearField(name)
        return message

    def _known(self, field: Any, accounts: Iterator[str]) -> str:
        """An id that exists, for a field with ids."""
        if field.type != TEXT:
            return ""
        rules = rules_of(field)
        texts = rules.repeated.items.string if field.is_repeated else rules.string
        if texts.HasExtension(rules_pb2.account_id):
            return next(accounts, self.other_account)
        if texts.HasExtension(rules_pb2.customer_id):
            return self.customer
        if texts.HasExtension(rules_pb2.transaction_id) and field.name != "transaction_id":
            return self.transaction
        return self.transaction if texts.HasExtension(rules_pb2.posting_id) else ""


def paths(message: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every field that is set in a message and below, with the names that lead there."""
    for field, value in message.ListFields():
        path = (*prefix, field.name)
        yield path, field
        if field.type == MESSAGE:
            yield from paths(value[0] if field.is_repeated else value, path)


def dotted(path: tuple[str, ...]) -> str:
    """A path as text."""
    return ".".join(path)


NOWHERE: Final = World(
    account=f"acct_{'0' * 27}a0001",
    other_account=f"acct_{'0' * 27}b0001",
    customer=f"cust_{'0' * 27}c0001",
    transaction=f"txn_{'0' * 27}d0001",
    payer=f"acct_{'0' * 27}e0001",
    payee=f"acct_{'0' * 27}f0001",
)
"""A world whose ids exist nowhere: for counting cases, and for judging them without a server."""
