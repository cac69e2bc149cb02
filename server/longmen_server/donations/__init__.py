"""Gifts of customers to charities, with receipts for each and for a year."""
