"""Exchanges between a customer's accounts: offered, confirmed, booked once; and the positions."""
