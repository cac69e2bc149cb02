"""The bank's clearing: what goes to it, what comes back, and the adapters that carry both."""
