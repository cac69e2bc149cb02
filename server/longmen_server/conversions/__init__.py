"""Exchanges between a customer's accounts: offered, confirmed, booked once."""
