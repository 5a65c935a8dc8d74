"""Plans and units, made from recipes and boards by pure functions: no input or output."""
