"""Generated from longmen_merchant/_async/__init__.py by scripts/gen. Do not edit."""
