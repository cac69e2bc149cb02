"""KYC: how well the bank knows its customers, by which evidence, and what that permits."""
