"""Results: what was made, from what, and why it is rebuilt."""
