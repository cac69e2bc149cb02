"""Approving what needs more than a session: challenges bound to one request and all of it."""
