"""Generated from longmen_client/_async/caller.py by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from longmen_client._config import DEFAULT_OPTIONS
from longmen_client._failure import AttemptFailed
from longmen_client._reply import Reply
from longmen_client._resume import Resumption
from longmen_client._retry import LogicalCall, RetryBudget
from longmen_client._sync.stream import Stream

if TYPE_CHECKING:
    from longmen_client._config import CallOptions, Config
    from longmen_client._methods import Method
    from longmen_client._transport_sync import Transport

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)


class Caller:
    """Makes the calls of one client: each with one deadline, one request id and a few attempts."""

    def __init__(self, config: Config, transport: Transport) -> None:
        self._config = config
        self._transport = transport
        self._budget = RetryBudget(config.retry)

    def ask(self, method: Method[Q, R], request: Q, options: CallOptions | None) -> R:
        """Call a method that carries no request id.

        Raises:
            LongmenError: the call did not succeed.
        """
        reply = self._call(method, request, "", options or DEFAULT_OPTIONS)
        return reply.message

    def change(
        self, method: Method[Q, R], request: Q, request_id: str, options: CallOptions | None
    ) -> Reply[R]:
        """Call a method under the request id its request carries.

        Raises:
            LongmenError: the call did not succeed; look at `outcome_unknown` first.
        """
        return self._call(method, request, request_id, options or DEFAULT_OPTIONS)

    def open(self, method: Method[Q, R], request: Q, options: CallOptions | None) -> Stream[R]:
        """Open a stream; nothing is sent before the first message is asked for."""
        options = options or DEFAULT_OPTIONS
        resumption = Resumption(
            method,
            request,
            deadline_ms=options.deadline_ms,
            policy=self._config.retry,
            retry=options.retry,
            renewable_token=callable(self._config.token),
        )
        return Stream(self._transport, method, resumption, options)

    def _call(
        self, method: Method[Q, R], request: Q, request_id: str, options: CallOptions
    ) -> Reply[R]:
        call = LogicalCall(
            method,
            request_id=request_id,
            deadline_ms=self._deadline_ms(method, options),
            policy=self._config.retry,
            budget=self._budget,
            retry=options.retry,
            renewable_token=callable(self._config.token),
        )
        while True:
            try:
                message, replayed = self._transport.unary(
                    method, request, timeout_s=call.begin_attempt(), options=options
                )
            except AttemptFailed as failed:
                details = failed.details
            else:
                call.succeeded()
                return Reply(message, request_id, replayed, call.attempts)
            # Out here, so that the error is shown without the events inside the client.
            self._transport.sleep(call.delay_after(details))

    def _deadline_ms(self, method: Method[Q, R], options: CallOptions) -> int:
        """The call's own deadline, else the client's, else the contract's."""
        return options.deadline_ms or self._config.deadline_ms or method.default_deadline_ms
