"""Wallets: customers, their accounts in the ledger, histories and statements."""
