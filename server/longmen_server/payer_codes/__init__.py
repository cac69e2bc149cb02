"""Payer codes: devices that show them, and how a scanned one is judged."""
