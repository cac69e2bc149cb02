"""What the bank does for customers who cannot help themselves."""
