"""`longmen ledger`: receipts and the journal, checked on this side."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import rich_click as click

from longmen_server.console.failure import FINDINGS
from longmen_server.console.parameters import book_option
from longmen_server.console.session import Session, connected, print_json_line

if TYPE_CHECKING:
    from longmen.ledger.v1 import receipt_pb2


@click.command()
@click.argument("posting_id")
@click.option(
    "--public-key",
    metavar="BASE64",
    help="The bank's Ed25519 key; without it the receipt's own word is taken.",
)
@connected
def receipt(session: Session, posting_id: str, public_key: str | None) -> None:
    """Get the proof that a posting stands in the journal, and verify it offline."""
    from longmen_client.receipts import ReceiptError, verify_receipt
    from longmen_server.console import views

    found = session.bank.ledger.get_receipt(posting_id=posting_id).receipt
    key = found.public_key if public_key is None else _key(public_key)
    try:
        proven = verify_receipt(found, key)
    except ReceiptError as error:
        click.echo(f"the receipt proves nothing: {error}", err=True)
        raise SystemExit(FINDINGS) from error
    session.show(
        found,
        lambda: views.card(
            "Receipt, verified",
            [
                ("posting", proven.posting_id),
                ("amount", views.amount(found.posting.amount)),
                ("booked", views.moment(found.posting.booked_time)),
                ("block", f"{proven.block_number} of writer {proven.writer}, book {proven.book}"),
                ("block hash", proven.block_hash.hex()),
                ("signed by", proven.key_id),
                ("key", base64.b64encode(key).decode()),
                ("trust", "" if public_key else "the key is the receipt's own: pin the bank's"),
            ],
        ),
    )


@click.command()
@book_option
@click.option("--cursor", default="", help="Go on after this message of an earlier export.")
@click.option("--verify", is_flag=True, help="Recompute every hash and every chain.")
@click.option("--quiet", is_flag=True, help="With --verify: print the result only.")
@connected
def export(session: Session, book: int, cursor: str, *, verify: bool, quiet: bool) -> None:
    """Print the journal of a book, one block as JSON on each line."""
    chains = ChainCheck()
    with session.bank.ledger.export_journal(book=book, cursor=cursor) as messages:
        for message in messages:
            if verify:
                chains.add_part(message.block, continues=message.continues)
            if not quiet:
                print_json_line(message)
    if verify:
        click.echo(chains.result(), err=True)
        if chains.findings:
            raise SystemExit(FINDINGS)


class ChainCheck:
    """Recomputes the hashes of exported blocks and follows each writer's chain."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self._blocks = 0
        self._records = 0
        self._heads: dict[int, receipt_pb2.JournalBlock] = {}
        self._begun: receipt_pb2.JournalBlock | None = None
        """What has come so far of a block in several messages."""

    def add_part(self, block: receipt_pb2.JournalBlock, *, continues: bool) -> None:
        """Check a block once its last part has come."""
        begun = self._begun
        is_next = (
            begun is not None
            and (begun.writer, begun.number) == (block.writer, block.number)
            and block.records
            and block.records[0].sequence != block.first_sequence
        )
        if begun is not None and is_next:
            begun.records.extend(block.records)
            block = begun
        self._begun = block if continues else None
        if not continues:
            self.add(block)

    def add(self, block: receipt_pb2.JournalBlock) -> None:
        """Check one block and its place behind the one before."""
        from longmen_client.receipts import ReceiptError, block_hash, merkle_root

        self._blocks += 1
        self._records += len(block.records)
        try:
            if merkle_root(record.leaf for record in block.records) != block.root:
                self._find(block, "its root is not that of its records")
            if block_hash(block) != block.hash:
                self._find(block, "its hash is not that of its header")
        except ReceiptError as error:
            self._find(block, str(error))
        expected = range(block.first_sequence, block.first_sequence + block.record_count)
        if [record.sequence for record in block.records] != list(expected):
            self._find(block, "its records are not numbered without gaps")
        self._check_chain(block)
        del block.records[:]
        self._heads[block.writer] = block

    def result(self) -> str:
        """What was found, for people."""
        checked = f"{self._blocks:,} blocks, {self._records:,} records, {len(self._heads)} writers"
        if not self.findings:
            return f"{checked}: every hash and every chain holds"
        return "\n".join([*self.findings, f"{checked}: {len(self.findings)} findings"])

    def _check_chain(self, block: receipt_pb2.JournalBlock) -> None:
        head = self._heads.get(block.writer)
        if head is None:
            if block.number == 1 and block.previous_hash != bytes(32):
                self._find(block, "the first block has a block before it")
            return
        if block.number != head.number + 1:
            self._find(block, f"it follows block {head.number}")
        if block.previous_hash != head.hash:
            self._find(block, "it does not continue the block before")
        if block.first_sequence != head.first_sequence + head.record_count:
            self._find(block, "records are missing before it")

    def _find(self, block: receipt_pb2.JournalBlock, what: str) -> None:
        self.findings.append(f"writer {block.writer}, block {block.number}: {what}")


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise click.BadParameter("the public key is not Base64") from error


PROOFS = (receipt, export)
"""Commands of this module."""
