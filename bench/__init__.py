"""Measures Longmen against its bars: load driver, baselines, invariants, report (`make bench`)."""
