"""A day of a small bank, played against a running server by the public client.

It owns the story, a shadow of the books kept from the replies alone, and the comparison of both in
the evening. It knows nothing of the server's inside.
"""
