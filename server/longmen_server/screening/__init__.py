"""Screening: names in customers' documents against lists of names, again when lists change."""
