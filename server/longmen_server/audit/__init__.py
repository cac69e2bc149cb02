"""The audit trail: who asked for what, in the journals beside what came of it."""
