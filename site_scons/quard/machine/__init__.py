"""The emulated machine: its data and run.sh."""
