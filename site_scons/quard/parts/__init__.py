"""Splitting a staging folder into the parts of a package."""
