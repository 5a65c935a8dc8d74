"""One project and one machine put to work."""
