"""The bank's positions in foreign currencies, as its ledger has them."""
