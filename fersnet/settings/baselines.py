"""Settings of the recognition baselines."""
