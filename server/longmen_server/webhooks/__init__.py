"""Webhooks: merchants are told what happens, signed, in order, and at least once."""
