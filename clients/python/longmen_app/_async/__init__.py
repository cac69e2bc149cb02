"""The asyncio SDK of the app channel; scripts/gen makes `longmen_app._sync` from it."""
