"""Detection of fraud on a public benchmark: a simulator, the shipped scorecard, its figures."""
