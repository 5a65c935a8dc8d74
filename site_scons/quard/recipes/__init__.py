"""Recipes: parsing, checks, the catalogue, the dependency graph."""
