"""A staging folder becomes the parts of a package."""
