"""Boards and settings, read from their files."""
