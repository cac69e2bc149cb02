"""What waits for a rate: alerts that tell customers, and orders that exchange for them."""
