"""A page on this machine to try trained models on."""
