"""Operation of a server: its clock, settings and statistics, and the proof of its books."""
