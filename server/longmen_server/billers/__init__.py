"""Bills: the directory of billers, what their customers owe them, and who is reminded of it."""
