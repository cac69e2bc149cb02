"""Statements over libpq's pipeline mode: many in one round trip, at a few microseconds each.

A batch is about eight statements, and a lone call is a batch too. psycopg's cursors cost some 30
microseconds of Python for every statement of a pipeline, which is more than many a statement costs
Postgres; driving libpq through psycopg.pq costs four (docs/adr/0005). psycopg still connects,
adapts values and makes the errors.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus

from longmen_server.platform.adapters import DUMPERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.abc import Buffer
    from psycopg.pq.abc import PGresult

    from longmen_server.engine.family import Statement
    from longmen_server.platform.database import Connection

#: Types of the scalar parameters that statements have; arrays bring theirs.
_INT2, _INT8, _BYTEA, _TEXT = 21, 20, 17, 25
_int2 = struct.Struct(">h").pack
_int8 = struct.Struct(">q").pack
_ARRAYS = {python_type: (dumper.oid, dumper(python_type).dump) for python_type, dumper in DUMPERS}

#: Uses of a statement after which its plan is worth another look.
_LOOKED_AT = frozenset({8, 64, 512, 4096})

_ROWS = ExecStatus.TUPLES_OK
_DONE = ExecStatus.COMMAND_OK
_SYNC = ExecStatus.PIPELINE_SYNC
_ABORTED = ExecStatus.PIPELINE_ABORTED


class SilentError(psycopg.OperationalError):
    """The database said nothing for so long that the link must be dead."""


class Wire:
    """One connection, driven statement pipeline by statement pipeline."""

    def __init__(self, connection: Connection, *, silence_ms: int) -> None:
        """Take over a connection.

        Args:
            connection: open, and used by nobody else from now on.
            silence_ms: how long the database may say nothing while we wait for it. A link that
                swallows everything gives no other sign.
        """
        self._connection = connection
        self._silence_seconds = silence_ms / 1000
        self._pgconn = connection.pgconn
        self._socket = connection.pgconn.socket
        # Kept, for it remembers how values of each type are read.
        self._transformer = Transformer(connection)
        self._prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._uses: dict[bytes, int] = {}
        self._names = 0
        self.outgrown = False
        """Whether a statement has been used so often since it was planned that its tables are
        others by now. Whoever has all plans discarded sets it back."""
        self._pgconn.enter_pipeline_mode()

    @property
    def idle(self) -> bool:
        """Whether the connection is there and in no transaction."""
        return (
            not self._connection.closed
            and self._pgconn.transaction_status == TransactionStatus.IDLE
        )

    @property
    def broken(self) -> bool:
        """Whether the connection is gone."""
        return (
            self._connection.closed or self._pgconn.transaction_status == TransactionStatus.UNKNOWN
        )

    async def run(self, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        """Run statements in one round trip and return the rows of each.

        Raises:
            psycopg.OperationalError: the connection broke, or was given up as silent.
            psycopg.Error: a statement failed; those after it were not run.
            Exception: a parameter cannot be encoded; nothing was sent.
        """
        encoded = [(statement.sql, *encode(statement.parameters)) for statement in statements]
        fresh: list[tuple[bytes, tuple[int, ...]]] = []
        try:
            plan = [self._send(sql, types, values, fresh) for sql, types, values in encoded]
            self._pgconn.pipeline_sync()
            await self._flush()
            results, failure = await self._receive()
        except SilentError:
            self._pgconn.finish()
            raise
        except psycopg.Error:
            self._forget(fresh)
            raise
        except OSError as error:
            # Waiting for a socket that libpq has closed.
            self._forget(fresh)
            raise psycopg.OperationalError("the connection is gone") from error
        if failure is not None:
            self._forget(fresh)
            raise failure
        return self._rows(plan, results)

    def _send(
        self,
        sql: bytes,
        types: tuple[int, ...],
        values: list[Buffer | None],
        fresh: list[tuple[bytes, tuple[int, ...]]],
    ) -> bool:
        """Send one statement, preparing it at its first use; say whether that was needed."""
        key = (sql, types)
        name = self._prepared.get(key)
        first = name is None
        if name is not None:
            uses = self._uses[name] = self._uses.get(name, 0) + 1
            if uses in _LOOKED_AT:
                self.outgrown = True
        else:
            self._names += 1
            name = self._prepared[key] = b"longmen_%d" % self._names
            fresh.append(key)
            self._pgconn.send_prepare(name, sql, types)
        self._pgconn.send_query_prepared(
            name, values, [Format.BINARY] * len(values), result_format=Format.BINARY
        )
        return first

    def _forget(self, fresh: list[tuple[bytes, tuple[int, ...]]]) -> None:
        """Forget statements that may not have been prepared; their names are never used again."""
        for key in fresh:
            self._prepared.pop(key, None)

    async def _flush(self) -> None:
        """Send everything, reading meanwhile, since a server with a full buffer stops reading."""
        pgconn = self._pgconn
        while pgconn.flush():
            if await self._wait(write=True):
                pgconn.consume_input()

    async def _receive(self) -> tuple[list[PGresult], psycopg.Error | None]:
        """Take every result up to the sync, and the first failure among them."""
        pgconn = self._pgconn
        results: list[PGresult] = []
        failure: psycopg.Error | None = None
        while True:
            while pgconn.is_busy():
                await self._wait(write=False)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                continue
            status = result.status
            if status in {_ROWS, _DONE}:
                results.append(result)
            elif status == _SYNC:
                return results, failure
            elif status != _ABORTED and failure is None:
                failure = errors.error_from_result(result)

    async def _wait(self, *, write: bool) -> bool:
        """Wait until the socket can be read, or written if asked; say whether it can be read."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[bool] = loop.create_future()
        loop.add_reader(self._socket, _resolve, ready, True)
        if write:
            loop.add_writer(self._socket, _resolve, ready, False)
        silence = loop.call_later(self._silence_seconds, _give_up, ready)
        try:
            return await ready
        finally:
            silence.cancel()
            loop.remove_reader(self._socket)
            if write:
                loop.remove_writer(self._socket)

    def _rows(self, plan: list[bool], results: list[PGresult]) -> list[list[tuple[Any, ...]]]:
        """Decode the rows of each statement, leaving out the results of preparing."""
        rows: list[list[tuple[Any, ...]]] = []
        position = 0
        for prepared_now in plan:
            result = results[position + prepared_now]
            position += 1 + prepared_now
            rows.append(self._decode(result) if result.ntuples else [])
        return rows

    def _decode(self, result: PGresult) -> list[tuple[Any, ...]]:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


def _resolve(future: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001
    if not future.done():
        future.set_result(value)


def _give_up(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_exception(SilentError("the database says nothing"))


def encode(parameters: Sequence[object]) -> tuple[tuple[int, ...], list[Buffer | None]]:
    """Return the types and the binary values of a statement's parameters."""
    types: list[int] = []
    values: list[Buffer | None] = []
    for parameter in parameters:
        kind = type(parameter)
        array = _ARRAYS.get(kind)
        if array is not None:
            types.append(array[0])
            values.append(array[1](parameter))
        else:
            oid, value = _scalar(parameter)
            types.append(oid)
            values.append(value)
    return tuple(types), values


def _scalar(parameter: object) -> tuple[int, bytes]:
    if isinstance(parameter, int):
        # As narrow as it fits: a book is a smallint like its column, so its index is used as it is.
        if -0x8000 <= parameter <= 0x7FFF:
            return _INT2, _int2(parameter)
        return _INT8, _int8(parameter)
    if isinstance(parameter, bytes):
        return _BYTEA, parameter
    assert isinstance(parameter, str), f"no statement has a {type(parameter).__name__} parameter"
    return _TEXT, parameter.encode()
