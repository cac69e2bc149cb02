"""API keys of merchants and of the bank's own systems, and the signatures of their calls."""
