"""Training: batches, losses, one loop, checkpoints, devices, and the networks that are trained around FERSNet."""
