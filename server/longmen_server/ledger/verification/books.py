"""The fold of all postings into all accounts, in memory: which accounts are suspect.

It only tells good accounts from suspect ones, at a tenth of what the database needs for it; what is
wrong with a suspect one, `queries_accounts.ENTRIES` says. Pure: no I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from longmen_server.ledger.chart import DEBIT_NORMAL_TYPES
from longmen_server.ledger.model import PostingKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from longmen_server.ledger.verification.leaves import Columns

_POST: Final = int(PostingKind.POST)
_PENDING: Final = int(PostingKind.PENDING)
_CAPTURE: Final = int(PostingKind.CAPTURE)
_ID: Final = np.dtype(">u8")
#: Any odd number with bits all over makes one number of an id's two that hardly two ids share.
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


#: An account as it stands, in the order of `queries_journal.next_accounts`.
ACCOUNT: Final = np.dtype(
    [
        ("id", "V16"),
        ("type", "i2"),
        ("currency", "S4"),
        ("version", "i8"),
        ("booked_at_us", "i8"),
        ("created_at_us", "i8"),
        ("counters", "i8", (4,)),
    ]
)


class Books:
    """Every account of a book as its postings make it, in order of time.

    Some 250 bytes for each account. Sums wrap at 64 bits, which changes nothing: numbers that fit
    are equal exactly when they are equal wrapped.
    """

    def __init__(self, batches: Sequence[Columns]) -> None:
        """Begin accounts, empty.

        Args:
            batches: of `ACCOUNT`, in any order.
        """
        accounts = np.concatenate(batches) if batches else np.empty(0, ACCOUNT)
        ids = np.frombuffer(accounts["id"].tobytes(), _ID).astype(np.uint64).reshape(-1, 2)
        keys = _keys(ids)
        order = np.argsort(keys)
        self._stored = accounts[order]
        self._keys = keys[order]
        # Both halves of each id, apart: what lies side by side is compared fastest.
        self._firsts, self._lasts = ids[order, 0], ids[order, 1]
        is_debit_normal = np.isin(self._stored["type"], [int(one) for one in DEBIT_NORMAL_TYPES])
        self._sign = np.where(is_debit_normal, 1, -1)
        self._currency = self._stored["currency"].copy()
        size = len(keys)
        # As the last posting says.
        self._version = np.zeros(size, np.int64)
        self._booked = np.zeros(size, np.int64)
        self._posted = np.zeros(size, np.int64)
        self._held = np.zeros(size, np.int64)
        # As amounts make it: debits, then credits, of each account in turn.
        self._posted_sums = np.zeros(2 * size, np.int64)
        self._pending_sums = np.zeros(2 * size, np.int64)
        self._is_suspect = np.zeros(size, np.bool_)
        self._missing: set[bytes] = set()

    @property
    def suspects(self) -> set[bytes]:
        """Accounts whose postings do not follow from each other, or that are missing."""
        halves = self._firsts[self._is_suspect], self._lasts[self._is_suspect]
        ids = np.stack(halves, axis=1).astype(_ID).tobytes()
        return self._missing.union(ids[n : n + 16] for n in range(0, len(ids), 16))

    def fold(self, postings: Columns) -> None:
        """Fold the next postings into their accounts.

        Args:
            postings: of `leaves.LEAF`, in order of time.
        """
        # One entry after the other, a posting's debit before its credit.
        at, found = self._find(postings["accounts"].reshape(-1, 2))
        kinds, amounts = postings["kind"], postings["amount"].astype(np.int64)
        moved = np.where((kinds == _POST) | (kinds == _CAPTURE), amounts, 0)
        held = np.where(kinds == _POST, 0, np.where(kinds == _PENDING, amounts, -amounts))
        # Stable, so that each account's entries stay in order of time.
        order = np.argsort(at, kind="stable")
        if not found.all():
            order = order[found[order]]
        if not order.size:
            return
        at, posting, side = at[order], order >> 1, order & 1
        self._add(at, side, moved[posting], held[posting])
        self._follow(
            at,
            side,
            postings["currency"][posting],
            postings["booked_at_us"][posting].astype(np.int64),
            postings["versions"].reshape(-1)[order].astype(np.int64),
            (moved[posting], postings["posted"].reshape(-1)[order].astype(np.int64)),
            (held[posting], postings["held"].reshape(-1)[order].astype(np.int64)),
        )

    def _find(self, pairs: Columns) -> tuple[Columns, Columns]:
        """Return where each account stands, and whether it stands there."""
        pairs = pairs.astype(np.uint64)
        if not len(self._keys):
            at, found = np.zeros(len(pairs), np.intp), np.zeros(len(pairs), np.bool_)
        else:
            at = np.searchsorted(self._keys, _keys(pairs))
            at[at == len(self._keys)] = 0
            found = (self._firsts[at] == pairs[:, 0]) & (self._lasts[at] == pairs[:, 1])
        for pair in pairs[~found]:
            self._missing.add(pair.astype(_ID).tobytes())
        return at, found

    def _add(self, at: Columns, side: Columns, moved: Columns, held: Columns) -> None:
        place = 2 * at + side
        np.add.at(self._posted_sums, place, moved)
        if held.any():
            np.add.at(self._pending_sums, place, held)

    def _follow(
        self,
        at: Columns,
        side: Columns,
        currency: Columns,
        booked: Columns,
        version: Columns,
        posted: tuple[Columns, Columns],
        held: tuple[Columns, Columns],
    ) -> None:
        """Compare each entry with the one before it on its account.

        Args:
            at: where the accounts stand, sorted; entries of one account in order of time.
            side: 0 for a debit, 1 for a credit.
            currency: of each posting.
            booked: booked time of each.
            version: the account's version after each, as it says.
            posted: what each moves, and the account's balance after it, as it says.
            held: what each holds, and what is held of the account after it, as it says.
        """
        first = np.empty(len(at), np.bool_)
        first[0] = True
        np.not_equal(at[1:], at[:-1], out=first[1:])

        def step(after: Columns, before_all: Columns) -> Columns:
            before = np.empty_like(after)
            before[1:] = after[:-1]
            before[first] = before_all[at[first]]
            return after - before

        sign = self._sign[at]
        is_in = (side == 0) == (sign > 0)
        bad = (
            (currency != self._currency[at])
            | (step(version, self._version) != 1)
            | (step(booked, self._booked) <= 0)
            | (step(posted[1], self._posted) != np.where(is_in, posted[0], -posted[0]))
            | (step(held[1], self._held) != np.where(is_in, 0, held[0]))
        )
        self._is_suspect[at[bad]] = True
        last = np.append(first[1:], True)
        ends = at[last]
        self._version[ends] = version[last]
        self._booked[ends] = booked[last]
        self._posted[ends] = posted[1][last]
        self._held[ends] = held[1][last]

    def close(self) -> None:
        """Compare accounts as stored with what their postings made."""
        sums = (self._posted_sums.reshape(-1, 2), self._pending_sums.reshape(-1, 2))
        stored = self._stored
        self._is_suspect |= (
            (stored["version"] != self._version)
            | (stored["counters"] != np.concatenate(sums, axis=1)).any(axis=1)
            | (stored["booked_at_us"] < self._booked)
            | (stored["booked_at_us"] < stored["created_at_us"])
        )


def accounts_of(rows: Sequence[tuple[object, ...]]) -> Columns:
    """Return accounts as columns: id, type, currency, version, times, and four counters of each."""
    return np.array([(*row[:6], row[6:]) for row in rows], ACCOUNT)


def _keys(pairs: Columns) -> Columns:
    """One number for each id. Those who share one by chance are looked at more closely, no more."""
    keys: Columns = pairs[:, 0] * _SPREAD + pairs[:, 1]
    return keys
