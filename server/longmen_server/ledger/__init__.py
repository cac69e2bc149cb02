"""The double-entry ledger: accounts, postings, transactions, holds and their proofs."""
