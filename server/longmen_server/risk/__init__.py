"""Risk: every movement of money is judged before it commits, in the same transaction."""
