"""Staff: their accounts, roles, branches and sign-in, and what they do for customers in need."""
