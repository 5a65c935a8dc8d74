"""Basics that all other modules use: errors, canonical JSON, files, TOML tables."""
