"""Typed, validated settings. `tree` holds the whole, the other modules a section each; `load` reads config files."""
