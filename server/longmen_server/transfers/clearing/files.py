"""The clearing by files: instructions out, confirmations in, one JSON object a line.

Folders, below one that the operator names, for each book:

    <book>/out/        <first transfer>-<count>.jsonl, complete as soon as it has that name
    <book>/in/         files of confirmations that the clearing puts there, named *.jsonl
    <book>/in/done/    those that have been dealt with
    <book>/in/failed/  those with a line that is no confirmation; the lines before it were taken

An instruction: {"transfer_id", "direction": "COLLECT" | "PAY_OUT", "account_id", "bank_account",
"amount": "12.34", "currency_code", "reference"}. After a crash the same one may stand in two files:
the clearing does each transfer_id once. A confirmation: {"transfer_id", "outcome": "CONFIRMED" |
"REFUSED" | "RETURNED", "code"}; the same one may come again. RETURNED is what was paid out to a
merchant and came back from the other bank.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Final

import structlog

from longmen_server.platform.ids import ACCOUNT, TRANSACTION
from longmen_server.platform.money import Money
from longmen_server.transfers.clearing.port import Confirmation, Delivery
from longmen_server.transfers.model import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from longmen_server.transfers.clearing.port import Instruction

__all__ = ["FileClearing"]

log = structlog.get_logger("longmen.clearing")

FILES_PER_LOOK: Final = 20
"""Files of confirmations taken at a time."""

CODE_MAX: Final = 35
"""Longest refusal code kept; clearings have four to a few dozen characters."""

_SUFFIX: Final = ".jsonl"


class FileClearing:
    """Writes instructions to a folder and reads confirmations from another."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if it is not there.

        Raises:
            OSError: it cannot be made.
        """
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, book: int, instructions: Sequence[Instruction]) -> None:
        """Write a file of instructions, whole and on the disk before it has its name."""
        folder = self._book_folder(book, "out")
        first = TRANSACTION.encode(instructions[0].transaction_id)
        target = folder / f"{first}-{len(instructions)}{_SUFFIX}"
        partial = target.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            for row in instructions:
                file.write(json.dumps(_instruction(row), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync_folder(folder)

    def collect(self, book: int, awaiting: Sequence[Instruction]) -> Sequence[Delivery]:
        """Read the oldest files of confirmations; each is one delivery."""
        del awaiting
        folder = self._book_folder(book, "in")
        paths = sorted(folder.glob(f"*{_SUFFIX}"))
        return [_read(path) for path in paths[:FILES_PER_LOOK]]

    def acknowledge(self, book: int, delivery: Delivery) -> None:
        """Put the file away."""
        folder = self._book_folder(book, "in/done" if delivery.complete else "in/failed")
        path = self._book_folder(book, "in") / delivery.name
        # Another process may have dealt with the same file meanwhile; both did the same.
        with contextlib.suppress(FileNotFoundError):
            path.replace(folder / delivery.name)

    def _book_folder(self, book: int, name: str) -> Path:
        folder = self._folder / str(book) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _read(path: Path) -> Delivery:
    confirmations: list[Confirmation] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                confirmations.append(_confirmation(line))
            except ValueError as error:
                log.warning(
                    "confirmation_unreadable", file=path.name, line=number, error=str(error)
                )
                return Delivery(path.name, confirmations, complete=False)
    return Delivery(path.name, confirmations)


def _instruction(row: Instruction) -> dict[str, str]:
    return {
        "transfer_id": TRANSACTION.encode(row.transaction_id),
        "direction": Direction(row.direction).name,
        "account_id": ACCOUNT.encode(row.account_id),
        "bank_account": row.bank_account,
        "amount": Money(row.amount, row.currency_code).format_amount(),
        "currency_code": row.currency_code,
        "reference": row.reference,
    }


def _confirmation(line: str) -> Confirmation:
    """Return what a line says.

    Raises:
        ValueError: it is no confirmation.
    """
    record = json.loads(line)
    fields = record if isinstance(record, dict) else {}
    outcome, code = fields.get("outcome"), str(fields.get("code") or "UNSPECIFIED")
    if outcome not in {"CONFIRMED", "REFUSED", "RETURNED"}:
        raise ValueError("the outcome is CONFIRMED, REFUSED or RETURNED")
    confirmed = outcome == "CONFIRMED"
    return Confirmation(
        TRANSACTION.decode(str(fields.get("transfer_id"))),
        confirmed=confirmed,
        code="" if confirmed else code[:CODE_MAX],
        returned=outcome == "RETURNED",
    )


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
