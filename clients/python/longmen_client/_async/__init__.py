"""The asyncio client. `longmen_client._sync` is made from these modules by scripts/gen."""
