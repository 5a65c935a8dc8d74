"""Quardroot's engine: recipes become plans, plans become blobs, blobs become images."""
