"""Builds of a small board that are ended at random moments, and what the next run makes of that.

PYTHONPATH=tests:site_scons python -m incremental.kills --kills 100 --seed 1
"""
