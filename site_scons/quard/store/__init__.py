"""Blobs and results by their hash."""
