"""Lists of whom to allow, to deny and to be careful with: imported whole, dated, looked into."""
