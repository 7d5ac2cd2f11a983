"""Licence-free faces: rendered people that show facial expressions through FACS action units."""
