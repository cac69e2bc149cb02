"""Profiles: what the bank knows of a customer as a person, and how it is forgotten."""
