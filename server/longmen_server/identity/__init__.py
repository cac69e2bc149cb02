"""Customers at the door: registration, devices, sessions."""
