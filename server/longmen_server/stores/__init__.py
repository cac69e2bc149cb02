"""Stores of merchants, which tills stand in them, and the cashiers who work there."""
