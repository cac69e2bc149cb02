"""The life of rules: drafts, the set in shadow, the set that decides, snoozes and rollouts."""
