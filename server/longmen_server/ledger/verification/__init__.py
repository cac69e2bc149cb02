"""The proof of a book: every invariant of the ledger, checked read-only on one snapshot."""
