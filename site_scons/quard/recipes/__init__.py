"""Recipes: reading, checking and ordering them."""
