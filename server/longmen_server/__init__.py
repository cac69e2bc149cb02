"""Longmen: the core-banking service behind a bank's digital wallet, served over gRPC."""
