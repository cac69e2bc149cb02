"""Generated from longmen_client/_async/__init__.py by scripts/gen. Do not edit."""
