"""Generated from longmen_app/_async/__init__.py by scripts/gen. Do not edit."""
