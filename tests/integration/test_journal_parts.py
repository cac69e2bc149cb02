"""A block larger than gRPC's clients take by default, exported to one that was told nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from longmen.ledger.v1 import ledger_service_pb2 as pb
from longmen_client.receipts import block_hash, merkle_root
from longmen_server.ledger.commands import CreateTransfers
from longmen_server.ledger.model import PostingIntent
from longmen_server.platform.ids import ACCOUNT, TransactionId, new_id
from tests.support.small_bank import BOOK, SERVICE, SmallBank, open_small_bank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

DEFAULT_LIMIT = 4 * 1024 * 1024
POSTINGS = 2_000
"""As much as a batch has."""


@pytest.fixture(scope="module")
async def bank(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SmallBank]:
    async with open_small_bank(module_database, tmp_path_factory.mktemp("parts")) as opened:
        yield opened


async def test_no_message_of_an_export_is_larger_than_any_client_takes(bank: SmallBank) -> None:
    debit, credit = [ACCOUNT.decode(one.account) for one in (await bank.person(), bank.payee)]
    clock = bank.parts.clock
    intents = [
        PostingIntent(
            debit_account_id=debit,
            credit_account_id=credit,
            amount=1,
            currency_code="CNY",
            transaction_id=TransactionId(new_id(BOOK, clock)),
            description="𠀀" * 256,
        )
        for _ in range(POSTINGS)
    ]
    chosen, linked = [True] * POSTINGS, [False] * POSTINGS
    await bank.parts.engine.submit(
        CreateTransfers(BOOK, None, intents, chosen=chosen, linked=linked),
        deadline=clock.monotonic() + 30,
    )
    blocks, sizes, cursors = [], [], [""]
    async with grpc.aio.insecure_channel(bank.tokens.target) as channel:
        stream: Any = channel.unary_stream("/longmen.ledger.v1.LedgerService/ExportJournal")
        metadata = (("authorization", f"Bearer {SERVICE}"),)
        is_new = True
        async for payload in stream(b"", metadata=metadata, timeout=60):
            sizes.append(len(payload))
            message = pb.ExportJournalResponse.FromString(payload)
            if is_new:
                blocks.append(message.block)
            else:
                blocks[-1].records.extend(message.block.records)
                assert message.cursor != cursors[-1] or message.continues
            is_new = not message.continues
            cursors.append(message.cursor)
        assert max(sizes) < DEFAULT_LIMIT
        largest = max(blocks, key=lambda block: block.record_count)
        assert largest.ByteSize() > DEFAULT_LIMIT, "else this proves nothing"
        for block in blocks:
            assert len(block.records) == block.record_count
            assert merkle_root(record.leaf for record in block.records) == block.root
            assert block_hash(block) == block.hash
        # Whoever is cut off in the middle of it goes on with the whole block.
        at = next(n for n, size in enumerate(sizes) if size > DEFAULT_LIMIT // 8)
        request = pb.ExportJournalRequest(cursor=cursors[at + 1]).SerializeToString()
        again = stream(request, metadata=metadata, timeout=60)
        first = pb.ExportJournalResponse.FromString(await anext(aiter(again)))
        again.cancel()
        assert first.block.number == largest.number
        assert first.block.records[0].sequence == largest.first_sequence
