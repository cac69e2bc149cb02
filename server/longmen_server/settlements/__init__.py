"""Settlement: what merchants are owed for a business date, paid out by calendar, and bills."""
