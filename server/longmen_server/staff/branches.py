"""Which branch customers are of, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from longmen_server.accounts.model import wallet_not_found
from longmen_server.identity.model import device_not_found, session_not_found
from longmen_server.ledger.commands import account_not_found
from longmen_server.platform.ids import ACCOUNT, CUSTOMER, DEVICE, SESSION, book_of
from longmen_server.staff import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import IdKind
    from longmen_server.platform.refusal import Refusal
    from longmen_server.transport.context import Call

__all__ = ["FIELDS", "Branches"]


class Named(NamedTuple):
    """What a field of requests names."""

    kind: IdKind[Any]
    statement: bytes
    """Finds the branch of its customer; no row where there is no such thing."""
    missing: Callable[[Any], Refusal]
    """The refusal of one that is not there, the very one that the method itself has."""


FIELDS: Final = {
    "customer_id": Named(
        CUSTOMER, queries.BRANCH_OF_CUSTOMER, lambda one: wallet_not_found(CUSTOMER.encode(one))
    ),
    "account_id": Named(ACCOUNT, queries.BRANCH_OF_ACCOUNT, account_not_found),
    "device_id": Named(DEVICE, queries.BRANCH_OF_DEVICE, device_not_found),
    "session_id": Named(SESSION, queries.BRANCH_OF_SESSION, session_not_found),
}
"""By the names of fields that policies may name."""


class Branches:
    """Looks branches up; the edge's guard."""

    def __init__(self, readers: Readers, books: Sequence[int]) -> None:
        """Take connections, and the books that this server keeps."""
        self._readers = readers
        self._books = books

    async def demand(self, call: Call, field: str, text: str) -> None:
        """Refuse what is another branch's.

        Args:
            call: of somebody who is bound to a branch.
            field: a key of `FIELDS`.
            text: its value; an empty one is the method's to refuse.

        Raises:
            Refusal: the refusal of what is not there.
        """
        if not text:
            return
        named = FIELDS[field]
        identifier = named.kind.decode(text)
        book = book_of(identifier)
        if book not in self._books:
            return
        async with self._readers.connection(deadline=call.deadline) as connection:
            branch = await queries.find_branch(connection, named.statement, book, identifier)
        if branch is not None and branch != call.principal.branch:
            raise named.missing(identifier)
