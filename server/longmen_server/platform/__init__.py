"""The floor of the house: clock, ids, money, tokens, database connections, embedded Postgres."""
