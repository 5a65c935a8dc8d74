"""Recipe + board + features -> plan: pure functions, no input or output."""
