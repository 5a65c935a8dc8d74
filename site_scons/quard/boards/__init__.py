"""Boards and settings, as their files say."""
