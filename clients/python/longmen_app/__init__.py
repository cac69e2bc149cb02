"""The app channel: what a wallet app does, in the words of its users."""
