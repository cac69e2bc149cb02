"""What is shown and scanned: merchants' QR codes and payers' codes. Pure."""
