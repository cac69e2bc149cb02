"""Merchants: who is paid for goods and services, and their terminals."""
