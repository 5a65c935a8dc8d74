"""One board on one machine: makes its units, predicts builds, fetches sources."""
