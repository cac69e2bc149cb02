"""The gRPC edge: from the bytes of a call to a validated request, and from a result to a status.

It owns the interceptor chain, the mapping of refusals to statuses, health, reflection and draining.
It knows no business rule and no SQL; the areas' services know nothing of what stands here but
`Call`.
"""
