"""Shifts of cashiers, and what tills have taken."""
