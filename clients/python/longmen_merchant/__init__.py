"""What a merchant's own systems need: the verifier of webhooks is `longmen_merchant.webhooks`."""
