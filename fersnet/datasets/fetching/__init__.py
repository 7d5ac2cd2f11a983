"""Fetching the open sets: what is to be had where, downloads that continue and are checked, and unpacking."""
