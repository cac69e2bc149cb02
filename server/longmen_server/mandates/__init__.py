"""Mandates: payers' leave for merchants to charge them by themselves, within limits."""
