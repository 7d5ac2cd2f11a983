"""What a method or a dataset reader tells of itself, and how they are found by name."""
