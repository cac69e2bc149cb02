"""Exchange of currencies: rates, quotes, conversions and the bank's position."""
