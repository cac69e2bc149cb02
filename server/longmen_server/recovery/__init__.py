"""Letting customers back in who have lost what their wallets are approved with."""
