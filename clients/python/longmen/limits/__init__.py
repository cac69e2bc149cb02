"""Generated from proto/ by scripts/gen. Do not edit."""
