"""A market day: many merchants, their tills, their customers' phones, and the evening after it."""
