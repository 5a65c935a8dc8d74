"""Parts of packages -> root file system -> file systems."""
