"""Group commit: many requests, one database transaction, each with its own answer.

The engine knows nothing of money. It loads the rows that commands name, lets each command decide in
memory, in the order they came, writes what changed with one statement per table, commits once and
answers everyone.
"""
