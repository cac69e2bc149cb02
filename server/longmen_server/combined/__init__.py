"""Orders of several merchants that one payer pays together, or not at all."""
