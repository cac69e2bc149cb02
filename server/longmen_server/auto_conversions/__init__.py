"""Exchanging what a payment lacks by itself, where its payer has asked for that beforehand."""
