"""One plan -> blobs: everything that touches the machine while a package is built."""
