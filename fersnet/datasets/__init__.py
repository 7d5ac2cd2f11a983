"""Readers: one per dataset tree, all leading to one common sequence index."""
