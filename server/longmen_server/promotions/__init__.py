"""Discounts of the spread: campaigns of the bank, with a time and a budget."""
