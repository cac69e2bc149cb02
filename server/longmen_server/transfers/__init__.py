"""Transfers: money between wallets, at once or delayed, and between wallets and bank accounts."""
