"""Demonstrations: a bank, a market, a traveller and two frauds, played by public clients.

It owns the story, a shadow of the books kept from the replies alone, and the comparison of both in
the evening. It knows nothing of the server's inside.
"""
