"""Work that nobody asks for: what time, the clearing or housekeeping demands."""
