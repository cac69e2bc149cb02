"""Payouts: what merchants were settled, on its way to their bank accounts and sometimes back."""
