"""What is read of the ledger, from SQL to the messages of the contract.

Nothing here locks or writes. A function that needs several statements to agree takes a connection
on one snapshot (`Readers.snapshot`) and says so. Every statement names the book first.
"""
