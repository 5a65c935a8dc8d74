"""Blobs -> root file system -> images -> a machine that boots them."""

VERSION = 5
"""Of what is made of packages, overlay and tables; raised when equal inputs give other bytes."""
