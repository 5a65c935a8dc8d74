"""The store: blobs and records of results, by their hash."""
