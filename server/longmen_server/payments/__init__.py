"""Payments to merchants: codes, orders, attempts, refunds."""
