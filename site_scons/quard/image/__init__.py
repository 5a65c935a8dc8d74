"""Blobs -> root file system -> images -> a machine that boots them."""
