"""Lists that are fetched page by page while they are walked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from google.protobuf.message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._methods import Method

Q = TypeVar("Q", bound=Message)
T = TypeVar("T", bound=Message)
P = TypeVar("P", bound=Message)


class AsyncPager(Generic[T, P]):
    """The items of a list, over all its pages. It can be walked again and then asks again.

    The options' deadline holds for each page.
    """

    def __init__(
        self,
        caller: AsyncCaller,
        method: Method[Q, P],
        request: Q,
        items: str,
        options: CallOptions | None,
    ) -> None:
        self._caller = caller
        self._method = method
        self._request = request
        self._items = items
        self._options = options

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in getattr(page, self._items):
                yield item

    async def pages(self) -> AsyncIterator[P]:
        """The pages as the contract has them; each has its next_page_token."""
        request = type(self._request)()
        request.CopyFrom(self._request)
        while True:
            page = await self._caller.ask(self._method, request, self._options)
            yield page
            token: str = getattr(page, "next_page_token", "")
            if not token:
                return
            # Lists have the field, but their common base type does not say so.
            setattr(request, "page_token", token)  # noqa: B010

    async def first(self, count: int) -> list[T]:
        """At most so many items from the start."""
        found: list[T] = []
        if count < 1:
            return found
        async for item in self:
            found.append(item)
            if len(found) >= count:
                break
        return found
