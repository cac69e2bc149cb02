"""Cases: movements that people look at, and what their verdict does."""
