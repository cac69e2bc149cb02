"""Sales that tills made without a network: stored, signed, forwarded later, each answered once."""
