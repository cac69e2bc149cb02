"""What customers prove themselves with: passwords, PINs, one-time codes, passkeys, backup codes."""
