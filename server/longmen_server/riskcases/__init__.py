"""Cases: movements and customers that people look at, and what their verdict does."""
