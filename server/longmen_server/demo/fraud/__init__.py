"""`longmen demo-risk`: a wallet taken over and a ring of mules, and what becomes of them."""
