"""The change feed: every committed change as an event, in order, for other systems."""
