"""The interceptor chain: what it is made of, in which order, and how it is composed for a method.

A step takes the call and its request and returns the reply's bytes. The request is None as far as
validation, which receives and parses it: nothing of it is waited for, let alone parsed, for a
caller who may not send it. Unary and streaming methods have the same chain: a
stream's last step sends its messages itself and returns nothing. Composition happens once per
method, at registration, so that whatever depends on the method alone costs nothing per call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from longmen_server.transport.context import Call

if TYPE_CHECKING:
    from longmen_server.transport.method import Method

Step = Callable[[Call, Any], Awaitable[bytes]]
"""One step of the chain; awaiting it runs everything inside it too."""

ORDER = (
    "telemetry",
    "errors",
    "audit",
    "context",
    "admission",
    "authn",
    "authz",
    "quota",
    "validation",
    "branch",
)
"""The interceptors from the outermost to the innermost. Telemetry sees every refusal, errors turns
every exception into a status, the audit trail keeps every denial, a call is admitted before
anything costly is done for it, and no byte of a request is parsed for a caller who may not send
it."""


class ChainError(Exception):
    """The interceptors given are not the ones, in the order, that the edge is built of."""


class Interceptor(Protocol):
    """One concern of the edge."""

    @property
    def name(self) -> str:
        """Its place in `ORDER`."""

    def wrap(self, method: Method, proceed: Step) -> Step:
        """Return the step that does this concern's part for the method and then proceeds."""


def compose(method: Method, interceptors: Sequence[Interceptor], servicer: Step) -> Step:
    """Wrap the servicer in the interceptors; raise ChainError unless they stand in `ORDER`."""
    names = tuple(interceptor.name for interceptor in interceptors)
    if names != ORDER:
        message = f"the chain must be {' → '.join(ORDER)}, not {' → '.join(names)}"
        raise ChainError(message)
    step = servicer
    for interceptor in reversed(interceptors):
        step = interceptor.wrap(method, step)
    return step
