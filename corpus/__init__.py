"""A corpus of bad input for every method of the contract, and what the server has to answer."""
