"""Synthetic faces: their generation, the augmentation of training sets with them, and their evaluation."""
