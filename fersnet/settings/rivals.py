"""Settings of the four synthesis rivals."""
