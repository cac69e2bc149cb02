"""What currencies are worth: feeds, rates set by hand, and their history."""
