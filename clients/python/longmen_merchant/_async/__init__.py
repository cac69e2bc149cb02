"""The asyncio SDK of tills; scripts/gen makes `longmen_merchant._sync` from it."""
