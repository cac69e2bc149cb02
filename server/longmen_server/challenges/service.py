"""ChallengesService: requests in, commands or queries, replies out. No rule and no SQL here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from longmen.identity.v1 import challenge_service_pb2 as pb
from longmen_server.accounts.personal import open_person
from longmen_server.accounts.queries import find_wallet
from longmen_server.challenges import commands, encode, queries
from longmen_server.challenges.code_commands import ApproveByMessage, SendChallengeCode
from longmen_server.challenges.model import challenge_not_found
from longmen_server.engine.command import RequestKey
from longmen_server.engine.door import request_key, submit
from longmen_server.engine.request_log import request_digest
from longmen_server.factors import texts
from longmen_server.factors.caller import device_of, owner_of
from longmen_server.factors.judging import judge, kind_of, usable_passkeys
from longmen_server.factors.model import FactorKind, Verdict, bit
from longmen_server.factors.proving import ADMITTED
from longmen_server.factors.queries import find_factors
from longmen_server.ledger.decode import decode_id
from longmen_server.messages.model import Channel
from longmen_server.platform.ids import CHALLENGE, ChallengeId, book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from longmen_server.accounts.personal import Person
    from longmen_server.challenges.codes import MessageCodes
    from longmen_server.challenges.model import ChallengeRow
    from longmen_server.engine.command import Command
    from longmen_server.engine.engine import Engine
    from longmen_server.factors.checks import FactorChecks
    from longmen_server.factors.model import FactorRow
    from longmen_server.messages.model import MessageRow
    from longmen_server.messages.notices import Notices
    from longmen_server.platform.clock import Clock
    from longmen_server.platform.database import Readers
    from longmen_server.platform.ids import CustomerId
    from longmen_server.platform.pii import Vault
    from longmen_server.transport.context import Call

__all__ = ["ChallengesService"]

_TRY: Final = "#try"
"""What the request of a reserved try has behind the method of its approval."""


class ChallengesService:
    """The methods of longmen.identity.v1.ChallengesService."""

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        checks: FactorChecks,
        vault: Vault,
        notices: Notices,
        codes: MessageCodes,
    ) -> None:
        """Take what the methods work with.

        Args:
            engine: runs what changes something.
            readers: connections for reads.
            clock: for what has expired.
            checks: looks at secrets.
            vault: opens the addresses of customers.
            notices: makes what tells customers of blocks.
            codes: makes codes by message.
        """
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._checks = checks
        self._vault = vault
        self._notices = notices
        self._codes = codes

    async def GetChallenge(  # noqa: N802
        self, request: pb.GetChallengeRequest, call: Call
    ) -> pb.GetChallengeResponse:
        """Show what is to be approved, and how."""
        customer_id, _ = owner_of(call)
        challenge_id = decode_id(CHALLENGE, request.challenge_id, "challenge_id")
        row, factors = await self._look_up(challenge_id, customer_id, call)
        message = encode.challenge(row, self._clock.now_us())
        passkeys = usable_passkeys(factors)
        if row.methods & bit(FactorKind.PASSKEY) and passkeys:
            message.passkey_options_json = self._checks.passkeys.request_options(
                row.passkey_challenge, passkeys
            )
        return pb.GetChallengeResponse(challenge=message)

    async def ApproveChallenge(  # noqa: N802
        self, request: pb.ApproveChallengeRequest, call: Call
    ) -> bytes:
        """Approve with one factor.

        A right, a wrong, a blocked and a missing factor take the same three steps: a try is
        reserved, something is hashed, a verdict is submitted.
        """
        customer_id, book = owner_of(call)
        challenge_id = decode_id(CHALLENGE, request.challenge_id, "challenge_id")
        if book_of(challenge_id) != book:
            raise challenge_not_found(challenge_id)
        kind = kind_of(request.proof)
        key = request_key(call)
        if kind == FactorKind.MESSAGE_CODE:
            by_message = ApproveByMessage(
                book,
                key,
                challenge_id=challenge_id,
                customer_id=customer_id,
                digest=self._codes.digest(challenge_id, request.proof.message_code),
            )
            return await self._submit(by_message, request, call)
        is_admitted = kind == FactorKind.PASSKEY or await self._reserve(
            request, call, key, challenge_id, kind
        )
        row, factors = await self._look_up(challenge_id, customer_id, call)
        verdict = await judge(
            self._checks,
            request.proof,
            customer_id=customer_id,
            factors=factors,
            passkey_challenge=row.passkey_challenge,
            now_us=self._clock.now_us(),
        )
        notices: list[MessageRow] = []
        if kind == FactorKind.PASSKEY:
            person = await self._person(customer_id, call)
            notices = self._notices.to(book, person, "passkey_flagged", texts.passkey_flagged())
        command = commands.ApproveChallenge(
            book,
            key,
            challenge_id=challenge_id,
            customer_id=customer_id,
            device_id=device_of(call),
            verdict=verdict if is_admitted else Verdict.wrong(kind),
            notices=notices,
        )
        return await self._submit(command, request, call)

    async def SendChallengeCode(  # noqa: N802
        self, request: pb.SendChallengeCodeRequest, call: Call
    ) -> bytes:
        """Send a code that approves a challenge."""
        customer_id, book = owner_of(call)
        challenge_id = decode_id(CHALLENGE, request.challenge_id, "challenge_id")
        channel = Channel.EMAIL if request.channel == pb.CODE_CHANNEL_EMAIL else Channel.SMS
        async with self._readers.connection(deadline=call.deadline) as connection:
            row = await queries.find_challenge(connection, book, challenge_id)
            found = await find_wallet(connection, book, customer_id)
        outgoing = None
        # Where there is nothing to send the command says so, or replays.
        if row is not None and row.customer_id == customer_id and found is not None:
            outgoing = self._codes.make(book, row, found, open_person(self._vault, found), channel)
        command = SendChallengeCode(
            book,
            request_key(call),
            challenge_id=challenge_id,
            customer_id=customer_id,
            channel=channel,
            outgoing=outgoing,
            limits=self._codes.limits,
        )
        return await self._submit(command, request, call)

    async def DeclineChallenge(  # noqa: N802
        self, request: pb.DeclineChallengeRequest, call: Call
    ) -> bytes:
        """Turn a request down."""
        customer_id, book = owner_of(call)
        challenge_id = decode_id(CHALLENGE, request.challenge_id, "challenge_id")
        if book_of(challenge_id) != book:
            raise challenge_not_found(challenge_id)
        command = commands.DeclineChallenge(
            book, request_key(call), challenge_id=challenge_id, customer_id=customer_id
        )
        return await self._submit(command, request, call)

    # -- helpers -------------------------------------------------------------------------------

    async def _reserve(
        self,
        request: pb.ApproveChallengeRequest,
        call: Call,
        key: RequestKey,
        challenge_id: ChallengeId,
        kind: FactorKind,
    ) -> bool:
        """Count a try, and say whether it may be looked at.

        The try has a request id of its own beside the approval's, so that sending an approval again
        counts no further try.
        """
        customer_id, book = owner_of(call)
        principal = call.principal
        digest = request_digest(
            principal=f"{principal.kind}:{principal.subject}",
            method=call.method + _TRY,
            request_id=call.request_id or "",
        )
        command = commands.ReserveTry(
            book,
            RequestKey(digest, key.content),
            challenge_id=challenge_id,
            customer_id=customer_id,
            device_id=device_of(call),
            kind=kind,
            notices=self._notices.to(
                book,
                await self._person(customer_id, call),
                "factor_blocked",
                texts.factor_blocked(kind),
            ),
        )
        reply = await self._submit(command, request, call)
        call.replayed = False  # that is for the approval itself to say
        return reply == ADMITTED

    async def _person(self, customer_id: CustomerId, call: Call) -> Person | None:
        async with self._readers.connection(deadline=call.deadline) as connection:
            found = await find_wallet(connection, book_of(customer_id), customer_id)
        return None if found is None else open_person(self._vault, found)

    async def _look_up(
        self, challenge_id: ChallengeId, customer_id: CustomerId, call: Call
    ) -> tuple[ChallengeRow, Sequence[FactorRow]]:
        """Return a challenge of the caller's and all that is kept of the caller's factors.

        Raises:
            Refusal: CHALLENGE_NOT_FOUND.
        """
        book = book_of(customer_id)
        async with self._readers.snapshot(deadline=call.deadline) as connection:
            row = await queries.find_challenge(connection, book, challenge_id)
            if row is None or row.customer_id != customer_id:
                raise challenge_not_found(challenge_id)
            return row, await find_factors(connection, book, customer_id)

    async def _submit(self, command: Command, request: Message, call: Call) -> bytes:
        return await submit(self._engine, command, request=request, call=call)
