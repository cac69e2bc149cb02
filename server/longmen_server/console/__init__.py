"""The command line as a client: every group here talks to a server by the public client.

It owns words, tables and exit codes. It knows nothing of the server's inside but where the data
folder of a server on this machine keeps its development key.
"""
